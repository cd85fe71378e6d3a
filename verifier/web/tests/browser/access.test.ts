/** Usable by everybody: axe's rules of WCAG 2.2 AA, 320 pixels, two languages, light and dark. */

import axe from "axe-core";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";

import { readVector } from "../vector_files.ts";
import { SLOW, useSite } from "./site.ts";
import { ANCHOR, NOW } from "./world.ts";

const STATIC = readVector("esc_qr/valid_static_identity.txt").payload;
const REVOKED = readVector("esc_qr/revoked.txt").payload;
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

const site = useSite();

async function expectUsable(page: Page): Promise<void> {
  const faults = await page.evaluate(async (tags) => {
    const { violations, passes } = await (window as unknown as { axe: typeof axe }).axe.run({
      runOnly: tags,
    });
    if (passes.length < 5) return ["axe found next to nothing to look at"];
    return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}`));
  }, TAGS);
  expect(faults).toEqual([]);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(overflow).toBeLessThanOrEqual(0);
}

describe.each([
  ["en-GB", "light", 390],
  ["en-GB", "dark", 1280],
  ["lv-LV", "light", 320],
  ["lv-LV", "dark", 320],
] as const)("in %s, %s, %d pixels wide", (locale, colorScheme, width) => {
  it(
    "every state of the page is usable",
    async () => {
      const device = await site.open({ locale });
      const { page } = device;
      // The page lets no foreign script in, so axe comes before the page's own policy.
      await device.context.addInitScript({ content: axe.source });
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 640 });
      await device.visit(site.server.address);
      await expectUsable(page);
      await page.locator("input[type=url]").fill(site.publisher.address);
      await page.locator("textarea").fill(ANCHOR);
      await page.locator(".compare:not(:empty)").waitFor();
      await page.locator("dialog.settings .primary").first().click();
      await page.locator(".source:not(:empty)").waitFor();
      await expectUsable(page);
      for (const form of [".list > .further", ".settings > .further"])
        await page.locator(`${form} > button`).click();
      await expectUsable(page);
      await page.locator("dialog.settings > .primary").click();
      await expectUsable(page);
      await page.locator("main .row button").nth(1).click();
      await page.locator(".naming input").waitFor();
      await expectUsable(page);
      await page.locator(".naming input").fill("Bibliotēka");
      await page.locator(".naming button").click();
      await page.locator(".qr").waitFor();
      await expectUsable(page);
      await page.keyboard.press("Escape");
      await page.locator("main .row button").nth(2).click();
      await page.locator(".digits").waitFor();
      await expectUsable(page);
      await page.locator(".asked button").click();
      for (const [text, outcome, now] of [
        [STATIC, "valid", NOW],
        [REVOKED, "refused", NOW],
        [STATIC, "warned", NOW + 30 * 3_600],
      ] as const) {
        await device.setTime(now);
        await page.locator(".typed input").fill(text);
        await page.locator(".typed button").click();
        await page.locator(`dialog.${outcome}`).waitFor();
        const [shape, word] = await Promise.all(
          [".drawing", "#outcome"].map((one) => page.locator(`dialog.answer ${one}`).boundingBox()),
        );
        expect((shape?.y ?? NaN) + (shape?.height ?? NaN)).toBeLessThanOrEqual(word?.y ?? NaN);
        await expectUsable(page);
        await page.locator(".next").click();
      }
    },
    SLOW,
  );
});

it(
  "can be worked by keyboard alone, and the focus is where it is needed",
  async () => {
    const device = await site.open();
    const page = await device.setUp(site.server.address, site.publisher.address);
    await page.getByLabel("Code, typed by a scanner or pasted").focus();
    await page.keyboard.insertText(STATIC);
    await page.keyboard.press("Enter");
    const next = page.getByRole("button", { name: "Next card" });
    await next.waitFor();
    await expect.poll(() => next.evaluate((button) => button === document.activeElement)).toBe(true);
    await page.keyboard.press("Escape");
    await next.waitFor({ state: "hidden" });
    const focused = page.getByLabel("Code, typed by a scanner or pasted");
    await expect.poll(() => focused.evaluate((input) => input === document.activeElement)).toBe(true);
  },
  SLOW,
);

it(
  "tells the outcomes apart by sound and vibration as well, unless they are switched off",
  async () => {
    const device = await site.open();
    await device.context.addInitScript(`
    window.given = [];
    Navigator.prototype.vibrate = (pattern) => window.given.push(String(pattern));
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (at) { window.given.push(this.frequency.value); start.call(this, at); };`);
    const page = await device.setUp(site.server.address, site.publisher.address);
    const check = async (text: string) => {
      await page.locator(".typed input").fill(text);
      await page.locator(".typed button").click();
      await page.locator(".next").click();
      return page.evaluate(() => (window as unknown as { given: unknown[] }).given.splice(0));
    };
    expect(await check(STATIC)).toEqual(["80", 660, 990]);
    expect(await check(REVOKED)).toEqual(["400", 220, 165]);
    await page.getByRole("button", { name: "Settings" }).click();
    for (const name of ["Sounds", "Vibration"]) await page.getByLabel(name).uncheck();
    await page.getByRole("button", { name: "Close" }).click();
    expect(await check(STATIC)).toEqual([]);
  },
  SLOW,
);
