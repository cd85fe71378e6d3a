/** From the offer to a code that the provider's scanner accepts, both without network. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";

import { setAhead, shownCode, stopClock, takeCard, type Device } from "../devices.ts";
import { filmOf, filmOfCode } from "../films.ts";
import { noteFigure } from "../figures.ts";
import { openScanner } from "../scanner.ts";
import type { Here } from "../world.ts";

const BUILT = join(import.meta.dirname, "../../../dist");
const MOST_BYTES = 200 * 1024;

async function look(scanner: Device): Promise<void> {
  await scanner.page.reload();
  await scanner.page.getByRole("button", { name: "Start the camera" }).click();
}

/** A new code every 15 seconds, none while the page is out of sight, another one when it is back. */
async function expectRotation(page: Page): Promise<void> {
  const drawn = (): Promise<string | null> => page.locator(".code-picture path").getAttribute("d");
  const hide = (isHidden: boolean): Promise<void> =>
    page.evaluate((hidden) => {
      Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
      document.dispatchEvent(new Event("visibilitychange"));
    }, isHidden);
  const [first, turn] = [await drawn(), await page.locator(".code-box").getAttribute("data-turn")];
  // The page's clock goes as the real one does; it is put forward by a turn.
  await page.clock.fastForward(14_000);
  await page.waitForFunction(
    (old) => document.querySelector(".code-box")?.getAttribute("data-turn") !== old,
    turn,
  );
  const second = await drawn();
  expect(second).not.toBe(first);
  await hide(true);
  expect(await drawn()).toBe("");
  await hide(false);
  await shownCode(page);
  expect(await drawn()).not.toBe(second);
}

async function durations(device: Device, name: string): Promise<number[]> {
  return device.page.evaluate(
    (one) => performance.getEntriesByName(one).map(({ duration }) => duration),
    name,
  );
}

export function journey(here: Here): void {
  describe("the journey", () => {
    it("a code of the phone is accepted by the scanner, both offline; its screenshot is refused a minute later", async () => {
      const world = here();
      const { services } = world;
      const card = services.card(0, 0);
      const phone = await world.open();
      await takeCard(phone, services, card);
      await phone.page.getByRole("article").getByText(card.name).waitFor();
      await phone.installed();
      await phone.context.setOffline(true);
      await stopClock(phone.page);
      await phone.page.reload();
      await phone.page.getByText("No network.").waitFor();
      await shownCode(phone.page);
      const film = join(world.folder, "phone.y4m");
      const scanner = await openScanner(world, film);
      await filmOfCode(phone.page, film);
      const shownAt = await phone.page.evaluate(() => Date.now());
      await stopClock(scanner.page, shownAt);
      await look(scanner);
      const valid = scanner.page.getByRole("dialog", { name: "VALID" });
      await valid.waitFor();
      expect(await valid.innerText()).toContain("live: its phone is here");
      expect(await valid.innerText()).toContain(card.name.split(" ").at(-1));
      await setAhead(scanner.page, 60_000);
      await look(scanner);
      const refused = scanner.page.locator("dialog.answer.refused");
      await refused.waitFor();
      expect(await refused.innerText()).toContain("StaleCode");
      const own = [services.page, services.wire.address];
      const strange = phone.requests.filter((one) => !own.some((address) => one.startsWith(address)));
      expect(strange.filter((address) => /^https?:/.test(address))).toEqual([]);
    });

    it("the offer's code is read by the camera, and both faces and the digits of a scanner are answered", async () => {
      const world = here();
      const card = world.services.card(0, 1);
      const offer = await world.services.offer(card);
      const film = join(world.folder, "offer.y4m");
      filmOf(offer.credential_offer_uri, film);
      const phone = await world.open({ film });
      const page = await phone.visit(world.services.page);
      await page.getByRole("link", { name: "Take a card" }).click();
      await page.getByRole("button", { name: "Scan the code" }).click();
      await page.getByLabel("Code from your university (6 digits)").fill(offer.tx_code);
      await page.getByRole("button", { name: "Take the card" }).click();
      await shownCode(page);
      await page.getByRole("radio", { name: "Identity" }).check();
      await page.getByText("European Student Identifier, for a library").waitFor();
      await shownCode(page);
      await page.getByRole("button", { name: "Numbers" }).click();
      const numbers = page.getByRole("dialog");
      expect((await numbers.innerText()).replace(/\s/g, "")).toContain("urn:schac:personalUniqueCode:");
      expect((await numbers.innerText()).replace(/\s/g, "")).toContain(card.escn);
      await numbers.getByRole("button", { name: "Close" }).click();
      await page.clock.install();
      await page.reload();
      await shownCode(page);
      expect(await page.getByRole("radio", { name: "Identity" }).isChecked()).toBe(true);
      await expectRotation(page);
      await page.getByRole("link", { name: "Menu" }).click();
      await page.getByRole("link", { name: "The scanner asks for digits" }).click();
      await page.getByLabel("Digits on the scanner").fill("1234");
      await page.getByRole("button", { name: "Show the code" }).click();
      await page.getByText("This code answers 1234.").waitFor();
      await shownCode(page);
    });

    it("the figures: tap to card, signing and drawing, first picture without network, size", async () => {
      const world = here();
      const { services } = world;
      const card = services.card(0, 2);
      const phone = await world.open();
      const offer = await services.offer(card);
      // What the student types takes as long as it takes: it is left out.
      const tapped = Date.now();
      const page = await phone.visit(services.link(offer));
      await page.locator(".tx-code").waitFor();
      const asked = Date.now();
      await page.locator(".tx-code").fill(offer.tx_code);
      const typed = Date.now();
      await page.locator("form .primary").click();
      await shownCode(page);
      const taken = asked - tapped + Date.now() - typed;
      noteFigure("tap_to_card_ms", taken);
      await phone.installed();
      await phone.context.setOffline(true);
      const paints: number[] = [];
      for (let i = 0; i < 5; i += 1) {
        await page.reload();
        await shownCode(page);
        await page.getByRole("article").waitFor();
        paints.push(
          await page.evaluate(
            () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN,
          ),
        );
      }
      const paint = median(paints);
      noteFigure("first_paint_offline_ms", paint);
      for (let i = 0; i < 12; i += 1) {
        await page.getByRole("radio", { name: i % 2 === 0 ? "Identity" : "Status" }).check();
        await page.waitForFunction(
          (count) => performance.getEntriesByName("esc-code-drawn").length > count,
          i + 1,
        );
      }
      const drawn = median((await durations(phone, "esc-code-drawn")).slice(2));
      noteFigure("draw_ms", drawn);
    });

    it("all files together have at most 200 KB, compressed", () => {
      const files = readdirSync(BUILT, { recursive: true, withFileTypes: true });
      const sizes = files
        .filter((file) => file.isFile())
        .map(({ parentPath, name }) => gzipSync(readFileSync(join(parentPath, name)), { level: 9 }).length);
      const bytes = sizes.reduce((sum, size) => sum + size, 0);
      noteFigure("bundle_bytes", bytes);
      expect(bytes).toBeLessThanOrEqual(MOST_BYTES);
    });
  });
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
