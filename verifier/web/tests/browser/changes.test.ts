/** A revocation between two bundles: the page learns of it by the small document of changes. */

import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";

import { readVector } from "../vector_files.ts";
import { BundlePublisher, Device, PageServer } from "./world.ts";

const STATIC = readVector("esc_qr/valid_static_status.txt").payload;
const SLOW = 180_000; // milliseconds, on a busy machine

let server: PageServer;
let publisher: BundlePublisher;
let device: Device;

beforeAll(async () => {
  [server, publisher] = await Promise.all([PageServer.start(), BundlePublisher.start()]);
});
afterAll(async () => {
  await device.close();
  await Promise.all([server.stop(), publisher.stop()]);
});

async function paste(page: Page, text: string): Promise<Locator> {
  await page.getByLabel("Code, typed by a scanner or pasted").fill(text);
  await page.getByRole("button", { name: "Check", exact: true }).click();
  return page.locator("dialog.answer[open]");
}

async function fetchNow(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("button", { name: "Fetch now" }).click();
}

it(
  "changes are taken without the bundle, in every window and for the next time",
  async () => {
    device = await Device.open();
    const page = await device.setUp(server.address, publisher.address);
    const second = await device.context.newPage();
    await second.goto(server.address);
    await second.locator("html[data-ready]").waitFor();
    await (await paste(page, STATIC)).getByText("Bērziņa").waitFor();
    await page.getByRole("button", { name: "Next card" }).click();
    const asked = publisher.answers.length;

    publisher.changes = "changes/valid.txt";
    await fetchNow(page);
    await page.getByText("Stored: trust list").waitFor();
    await page.getByRole("button", { name: "Close" }).click();
    await paste(page, STATIC);
    await page.getByText("[Revoked]").waitFor();

    await fetchNow(second);
    await second.getByText("Nothing new since the last fetch.").waitFor();
    await second.getByRole("button", { name: "Close" }).click();
    await paste(second, STATIC);
    await second.getByText("[Revoked]").waitFor();
    expect(publisher.answers.length).toBe(asked);

    await page.reload();
    await page.locator("html[data-ready]").waitFor();
    await paste(page, STATIC);
    await page.getByText("[Revoked]").waitFor();

    await second.getByRole("button", { name: "Next card" }).click();
    // A delta that is refused, or a newer trust list: the bundle is fetched, what is known stays.
    publisher.changes = "changes/valid_but_newer_trust_list.txt";
    await fetchNow(second);
    await second.getByText("Nothing new since the last fetch.").waitFor();
    expect(publisher.answers.length).toBeGreaterThan(asked);
  },
  SLOW,
);
