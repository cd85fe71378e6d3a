/** A revocation between two bundles: the page learns of it by the small document of changes. */

import { expect, it } from "vitest";

import { readVector } from "../vector_files.ts";
import { fetchNow, paste, SLOW, useSite } from "./site.ts";

const STATIC = readVector("esc_qr/valid_static_status.txt").payload;

const site = useSite();

it(
  "changes are taken without the bundle, in every window and for the next time",
  async () => {
    const { publisher } = site;
    const page = await site.scanner();
    const second = await site.secondWindow();
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
