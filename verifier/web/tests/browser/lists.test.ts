/** Several trust lists side by side: added, asked in their order, removed. */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";

import { readVector } from "../vector_files.ts";
import { SLOW } from "./site.ts";
import { ANCHOR, BundlePublisher, Device, PageServer, writeOtherList } from "./world.ts";

const STATIC = readVector("esc_qr/valid_static_status.txt").payload;
let folder: string;
let server: PageServer;
let publisher: BundlePublisher;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "esc-lists-"));
  writeOtherList(folder, 2);
  [server, publisher] = await Promise.all([PageServer.start(), BundlePublisher.start()]);
});
afterAll(async () => {
  await Promise.all([server.stop(), publisher.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

async function answerTo(page: Page, text: string): Promise<string> {
  await page.getByLabel("Code, typed by a scanner or pasted").fill(text);
  await page.getByRole("button", { name: "Check", exact: true }).click();
  const answer = page.locator("dialog.answer[open]");
  const said = await answer.innerText();
  await page.getByRole("button", { name: "Next card" }).click();
  return said;
}

it(
  "each is added with its own key, asked for its own cards, renewed and removed",
  async () => {
    const device = await Device.open();
    try {
      const page = await device.setUp(server.address, publisher.address);
      const other = readFileSync(join(folder, "code.txt"), "utf8");
      expect(await answerTo(page, other)).toContain("[UnknownInstitution]");

      await page.getByRole("button", { name: "Settings" }).click();
      expect(await page.getByRole("button", { name: "Remove" }).count()).toBe(0); // the only one
      await page.getByRole("button", { name: "Add a trust list" }).click();
      await page
        .getByLabel("Public key of the trust list")
        .fill(readFileSync(join(folder, "anchor.json"), "utf8"));
      await page.getByRole("button", { name: "Save and fetch" }).click();
      const lists = page.locator(".list");
      await lists.nth(1).getByText("Nothing of this trust list is known yet").waitFor();
      // The key of one list signs no other.
      const usual = join(import.meta.dirname, "../../../../tests/vectors/bundles/usual.escbundle");
      await lists.nth(1).getByLabel("Bundle from a file").setInputFiles(usual);
      await page.getByText("[DocumentUntrusted]").waitFor();
      await lists.nth(1).getByLabel("Bundle from a file").setInputFiles(join(folder, "europe.escbundle"));
      await lists.nth(1).getByText("institutions: 2, status lists: 2").waitFor();
      await lists.first().getByRole("button", { name: "Fetch now" }).click();
      await page.getByText("Nothing new since the last fetch.").waitFor();
      await page.getByRole("button", { name: "Close" }).click();

      expect(await answerTo(page, other)).toContain("University 1");
      expect(await answerTo(page, STATIC)).toContain("Testa universitāte A");
      await page.reload();
      await page.locator("html[data-ready]").waitFor();
      expect(await answerTo(page, other)).toContain("University 1");

      await page.getByRole("button", { name: "Settings" }).click();
      await lists.nth(1).getByRole("button", { name: "Remove" }).click();
      await page.getByText("Press again to forget this trust list").waitFor();
      await lists.nth(1).getByRole("button", { name: "Remove" }).click();
      await page.getByText("The trust list was removed.").waitFor();
      await page.getByRole("button", { name: "Close" }).click();
      expect(await answerTo(page, other)).toContain("[UnknownInstitution]");
      expect(await answerTo(page, STATIC)).toContain("VALID");
    } finally {
      await device.close();
    }
  },
  SLOW,
);

it(
  "the first can be removed, and the next takes its place",
  async () => {
    const device = await Device.open();
    try {
      const page = await device.setUp(server.address, publisher.address);
      await page.getByRole("button", { name: "Settings" }).click();
      await page.getByRole("button", { name: "Add a trust list" }).click();
      await page.getByLabel("Address of the bundle").fill(publisher.address);
      await page.getByLabel("Public key of the trust list").fill(ANCHOR);
      await page.getByRole("button", { name: "Save and fetch" }).click();
      await page.getByText("Stored: trust list").waitFor();
      const first = page.locator(".list").first().getByRole("button", { name: "Remove" });
      await first.click();
      await first.click();
      await page.getByText("The trust list was removed.").waitFor();
      await page.getByRole("button", { name: "Close" }).click();
      await page.reload();
      await page.locator("html[data-ready]").waitFor();
      expect(await answerTo(page, STATIC)).toContain("VALID");
    } finally {
      await device.close();
    }
  },
  SLOW,
);
