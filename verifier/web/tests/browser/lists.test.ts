/** Several trust lists side by side: added, asked in their order, removed. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";

import { readVector } from "../vector_files.ts";
import { SLOW } from "./site.ts";
import { ANCHOR, BundlePublisher, Device, PageServer, writeOtherList } from "./world.ts";

const STATIC = readVector("esc_qr/valid_static_status.txt").payload;
const USUAL = join(import.meta.dirname, "../../../../tests/vectors/bundles/usual.escbundle");
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
      await lists.nth(1).getByLabel("Bundle from a file").setInputFiles(USUAL);
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

it(
  "one that came from files is given an address, which can be changed, and is then renewed from there",
  async () => {
    const device = await Device.open();
    try {
      const page = await device.visit(server.address);
      await page.getByLabel("Public key of the trust list").fill(ANCHOR);
      await page.getByRole("button", { name: "Save and fetch" }).click();
      const list = page.locator(".list");
      await list.getByLabel("Bundle from a file").setInputFiles(USUAL);
      await page.getByText("Stored: trust list").waitFor();
      await list.getByText("From files only").waitFor();

      const address = list.getByLabel("Address of the bundle");
      const save = list.getByRole("button", { name: "Save and fetch" });
      await list.getByRole("button", { name: "Give an address" }).click();
      for (const wrong of ["", "bundle", "http://issuer.example/bundle"]) {
        await address.fill(wrong);
        await save.click();
        await page.getByText("The address must be https").waitFor();
        expect(await address.inputValue()).toBe(wrong);
      }
      await list.getByText("From files only").waitFor();
      await address.fill("http://127.0.0.1:9/bundle"); // nobody is there
      await save.click();
      await page.getByText("No answer from the server.").waitFor();
      await list.getByText("http://127.0.0.1:9/bundle").waitFor();
      await list.getByRole("button", { name: "Change the address" }).click();
      publisher.bundle = "later.escbundle";
      await address.fill(publisher.address);
      await save.click();
      await page.getByText("Stored: trust list").waitFor();
      await list.getByText(publisher.address).waitFor();
      await list.getByRole("button", { name: "Fetch now" }).click();
      await page.getByText("Nothing new since the last fetch.").waitFor();

      // It stays, and what is there is asked for as soon as the page opens again.
      const asked = publisher.answers.length;
      await page.reload();
      await page.locator("html[data-ready]").waitFor();
      await expect.poll(() => publisher.answers.length).toBeGreaterThan(asked);
    } finally {
      publisher.bundle = "usual.escbundle";
      await device.close();
    }
  },
  SLOW,
);

it(
  "one that came on a stick is renewed from the address that it names, without asking",
  async () => {
    const stick = join(folder, "stick");
    mkdirSync(stick);
    writeOtherList(stick, 1, publisher.address);
    [publisher.folder, publisher.bundle] = [stick, "europe.escbundle"];
    const device = await Device.open();
    try {
      const page = await device.visit(server.address);
      await page
        .getByLabel("Public key of the trust list")
        .fill(readFileSync(join(stick, "anchor.json"), "utf8"));
      await page.getByRole("button", { name: "Save and fetch" }).click();
      const list = page.locator(".list");
      await list.getByText("From files only").waitFor();
      const asked = publisher.answers.length;
      await list.getByLabel("Bundle from a file").setInputFiles(join(stick, "europe.escbundle"));
      await list.getByText(publisher.address).waitFor();
      await list.getByRole("button", { name: "Change the address" }).waitFor();
      await page.getByRole("button", { name: "Close" }).click();
      const code = readFileSync(join(stick, "code.txt"), "utf8");
      expect(await answerTo(page, code)).toContain("VALID");

      // Nobody presses anything: the page asks when it opens, and each minute.
      publisher.bundle = "later.escbundle";
      await page.reload();
      await page.locator("html[data-ready]").waitFor();
      await page.locator("main .as-of", { hasText: "trust list 2" }).waitFor();
      expect(publisher.answers.slice(asked)).toContain(200);
      expect(await answerTo(page, code)).toContain("[Revoked]");
    } finally {
      [publisher.folder, publisher.bundle] = [null, "usual.escbundle"];
      await device.close();
    }
  },
  SLOW,
);
