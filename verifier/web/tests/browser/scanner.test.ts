/** The scanner in Chromium, as a provider uses it. */

import { readFileSync } from "node:fs";

import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";

import { readVector } from "../vector_files.ts";
import { next, paste, SLOW, typeFast, useSite } from "./site.ts";
import { bitmapOf, frameOf } from "./video.ts";
import { NOW, qrModules } from "./world.ts";

const STATIC = readVector("esc_qr/valid_static_status.txt").payload;
const LIVE = readVector("esc_qr/valid_live_status.txt").payload;
const REVOKED = readVector("esc_qr/revoked.txt").payload;
const CREDENTIAL = readVector("sd_jwt_vc/valid_everything_disclosed.txt").payload;

const site = useSite();

it(
  "asks nobody but its own server and the bundle's",
  async () => {
    const page = await site.scanner();
    await paste(page, STATIC);
    await next(page);
    const hosts = new Set(site.device.requests.map((request) => new URL(request).origin));
    expect(hosts).toEqual(new Set([site.server.address, new URL(site.publisher.address).origin]));
  },
  SLOW,
);

describe("a scanner that types", () => {
  it(
    "is answered at once, and a second showing is refused, also after a reload",
    async () => {
      const page = await site.scanner();
      await typeFast(page, LIVE);
      await page.getByRole("dialog", { name: "VALID" }).waitFor();
      await typeFast(page, LIVE);
      await page.getByText("[Replayed]").waitFor();
      await page.reload();
      await page.locator("html[data-ready]").waitFor();
      await typeFast(page, LIVE);
      await page.getByText("[Replayed]").waitFor();
    },
    SLOW,
  );

  it(
    "and Enter alone goes on to the next card",
    async () => {
      const page = await site.scanner();
      const answer = await paste(page, STATIC);
      await answer.waitFor();
      await page.keyboard.press("Enter");
      await answer.waitFor({ state: "hidden" });
    },
    SLOW,
  );
});

describe("a picture", () => {
  async function pick(page: Page, name: string, data: Buffer): Promise<void> {
    const file = { name, mimeType: "image/bmp", buffer: data };
    await page.getByLabel("Read a picture").setInputFiles(file);
  }

  it(
    "with a code is decided, without one it is said",
    async () => {
      const page = await site.scanner();
      await pick(page, "text.bmp", Buffer.from("this is no picture"));
      await page.getByText("not a picture that can be read").waitFor();
      await pick(page, "empty.bmp", bitmapOf(frameOf([], { modulePixels: 1 })));
      await page.getByText("No code was found").waitFor();
      await pick(page, "code.bmp", bitmapOf(frameOf(qrModules(REVOKED), { modulePixels: 5 })));
      await page.getByText("[Revoked]").waitFor();
    },
    SLOW,
  );
});

describe("an answer", () => {
  it(
    "says colour, shape, word, who, and how well that is known",
    async () => {
      const page = await site.scanner();
      const answer = await paste(page, CREDENTIAL);
      await answer.waitFor();
      const text = await answer.innerText();
      for (const said of [
        "VALID",
        "Testa universitāte A (LV)",
        "bachelor",
        "valid until",
        "static",
        "as of",
      ]) {
        expect(text).toContain(said);
      }
      expect(await answer.locator("svg").count()).toBe(1);
    },
    SLOW,
  );

  it(
    "that is refused says why and what to do, and the clock where that may be the reason",
    async () => {
      const page = await site.scanner({ now: NOW + 50 });
      await paste(page, LIVE);
      await page.getByText("It was shown too long ago: this is a copy.").waitFor();
      await page.getByText("check the clock of this device: it shows 2027-\u206001-\u206015 10:00").waitFor();
      await next(page);
      await paste(page, "https://example.org/");
      await page.getByText("This is not the code of a European Student Card.").waitFor();
      await page.getByText("Ask the student to open the card in the wallet.").waitFor();
    },
    SLOW,
  );

  it(
    "of old knowledge is a warning, of older knowledge a refusal",
    async () => {
      const page = await site.scanner({ now: NOW + 30 * 3_600 });
      await paste(page, STATIC);
      await page.getByRole("dialog", { name: "VALID, with a warning" }).waitFor();
      await next(page);
      await site.device.setTime(NOW + 8 * 86_400);
      await paste(page, STATIC);
      await page.getByText(/\[StatusTooOld\]|\[DocumentExpired\]/).waitFor();
    },
    SLOW,
  );

  it(
    "goes by itself where that is chosen",
    async () => {
      // What the page wants to do after three seconds it does when it is told to: nobody knows how
      // long a machine takes to look at the answer.
      const script = `{
        const later = setTimeout;
        window.later = [];
        window.setTimeout = (work, wait, ...rest) => wait === 3000 ? void window.later.push(work) : later(work, wait, ...rest);
      }`;
      const page = await site.scanner({ script });
      await page.getByRole("button", { name: "Settings" }).click();
      await page.getByLabel("Next card by itself after").selectOption("3");
      await page.getByRole("button", { name: "Close" }).click();
      const answer = await paste(page, STATIC);
      await answer.waitFor();
      await page.evaluate("window.later.forEach((work) => work())");
      await answer.waitFor({ state: "hidden" });
    },
    SLOW,
  );
});

it(
  "counts outcomes of the day without anything of a card",
  async () => {
    const page = await site.scanner();
    for (const text of [STATIC, REVOKED, REVOKED]) {
      await (await paste(page, text)).waitFor();
      await next(page);
    }
    await page.getByText("1 valid · 0 with a warning · 2 refused").waitFor();
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save the counts as CSV" }).click();
    const path = await (await download).path();
    expect(readFileSync(path, "utf8").split("\r\n")).toEqual([
      "day,service,outcome,refusal,count",
      "2027-01-15,,refused,Revoked,2",
      "2027-01-15,,valid,,1",
      "",
    ]);
  },
  SLOW,
);
