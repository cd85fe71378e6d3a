/** All of Europe in a phone's browser: 4,000 institutions, 40 million cards. */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import { SLOW } from "./site.ts";
import { Device, PageServer, writeOtherList } from "./world.ts";

const MOST_BYTES = 200e6; // of the page's own heap, after it was opened again

let folder: string;
let server: PageServer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "esc-europe-"));
  writeOtherList(folder, 4_000);
  server = await PageServer.start();
}, SLOW);
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

it(
  "is taken in, opened again, and decided with as soon as ever",
  async () => {
    const device = await Device.open();
    try {
      const page = await device.visit(server.address);
      await page
        .getByLabel("Public key of the trust list")
        .fill(readFileSync(join(folder, "anchor.json"), "utf8"));
      await page.getByRole("button", { name: "Save and fetch" }).click();
      const times: Record<string, number> = {};
      let start = performance.now();
      await page.getByLabel("Bundle from a file").setInputFiles(join(folder, "europe.escbundle"));
      await page.getByText("Stored: trust list").waitFor();
      times["taken"] = performance.now() - start;
      start = performance.now();
      await page.reload();
      await page.locator("html[data-ready]").waitFor();
      times["opened"] = performance.now() - start;
      await page.locator(".as-of", { hasText: "institutions: 4000, status lists: 4000" }).waitFor();
      await page
        .getByLabel("Code, typed by a scanner or pasted")
        .fill(readFileSync(join(folder, "code.txt"), "utf8"));
      await page.getByRole("button", { name: "Check", exact: true }).click();
      await page.getByRole("dialog", { name: "VALID" }).waitFor();
      await page.waitForFunction(() => performance.getEntriesByName("esc-check").length > 0);
      times["check"] = await page.evaluate(
        () => performance.getEntriesByName("esc-check")[0]?.duration ?? NaN,
      );
      const session = await device.context.newCDPSession(page);
      await session.send("HeapProfiler.collectGarbage");
      const { usedSize } = await session.send("Runtime.getHeapUsage");
      const said = Object.entries(times).map(([name, time]) => `${name}: ${time.toFixed(0)} ms`);
      process.stdout.write(`${said.join(", ")}, memory: ${(usedSize / 1e6).toFixed(0)} MB\n`);
      expect(usedSize).toBeLessThan(MOST_BYTES);
    } finally {
      await device.close();
    }
  },
  SLOW,
);
