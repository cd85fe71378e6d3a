/** What may go wrong around the scanner: a second window, old rules, no reader, no storage. */

import { expect, it } from "vitest";

import { readVector } from "../vector_files.ts";
import { fetchNow, next, paste, SLOW, useSite } from "./site.ts";
import { bitmapOf, frameOf } from "./video.ts";

const STATIC = readVector("esc_qr/valid_static_status.txt").payload;
const LIVE = readVector("esc_qr/valid_live_status.txt").payload;

const site = useSite();

it(
  "a second window knows what was shown in the first, and what that one fetched",
  async () => {
    const first = await site.scanner();
    const second = await site.secondWindow();
    await (await paste(first, LIVE)).waitFor();
    await next(first);
    await first.getByText("Bērziņa").waitFor({ state: "detached" }); // nothing of a card stays in the page
    await paste(second, LIVE);
    await second.getByText("[Replayed]").waitFor();
    await next(second);
    site.publisher.bundle = "later.escbundle";
    await fetchNow(first);
    await first.getByText("Stored: trust list").waitFor();
    await fetchNow(second);
    await second.getByText("Nothing new since the last fetch.").waitFor();
    await second.getByRole("button", { name: "Close" }).click();
    await paste(second, STATIC);
    await second.getByText("[Suspended]").waitFor(); // by the later list
  },
  SLOW,
);

it(
  "nothing is decided by rules that are no longer understood",
  async () => {
    const page = await site.scanner();
    await page.evaluate(async () => {
      const opening = indexedDB.open("esc-verifier", 1);
      await new Promise((resolve) => (opening.onsuccess = resolve));
      const store = opening.result.transaction("values", "readwrite").objectStore("values");
      store.put({ service: "own", ownRules: "rules = 2" }, "settings");
      await new Promise((resolve) => (store.transaction.oncomplete = resolve));
      opening.result.close();
    });
    await page.reload();
    await page.locator("html[data-ready]").waitFor();
    const answer = await paste(page, STATIC);
    await page.getByText("choose a service").waitFor();
    expect(await answer.count()).toBe(0);
  },
  SLOW,
);

it(
  "a reader that does not load is said",
  async () => {
    const device = await site.open();
    await device.context.route("**/*.wasm", (route) => route.abort());
    const { page } = device;
    await page.goto(site.server.address);
    await page.getByRole("button", { name: "Close" }).click();
    const picture = bitmapOf(frameOf([], { modulePixels: 1 }));
    const file = { name: "code.bmp", mimeType: "image/bmp", buffer: picture };
    await page.getByLabel("Read a picture").setInputFiles(file);
    await page.getByText("Codes cannot be read in pictures here").waitFor();
  },
  SLOW,
);

it(
  "a browser that stores nothing is said, and a fault of ours takes the page away",
  async () => {
    const device = await site.open();
    await device.context.addInitScript(
      "if (location.hash === '#full') IDBFactory.prototype.open = () => { throw new DOMException() }",
    );
    await device.page.goto(`${site.server.address}/#full`);
    await device.page.getByText("does not let the page store anything").waitFor();
    const page = await site.window();
    await page.evaluate(() =>
      setTimeout(() => {
        throw new Error("a fault");
      }),
    );
    await page.getByText("Something in this page went wrong").waitFor();
    expect(await page.getByRole("button").count()).toBe(0);
  },
  SLOW,
);
