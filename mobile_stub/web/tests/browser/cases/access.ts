/** Usable by everybody: axe's rules of WCAG 2.2 AA, 320 pixels, two languages, light and dark, text twice as large. */

import axe from "axe-core";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";

import { goTo, shownCode, takeCard } from "../devices.ts";
import type { Here } from "../world.ts";

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const PAGES = ["", "menu", "devices", "consent", "photo", "print", "passes", "challenge", "answer", "forget"];
const LONG_NAME = "Wolfeschlegelsteinhausenbergerdorff Maximiliana-Aleksandra von Hohenzollern";
const WALLET = ["add", "cards", "shown", "settings", "about"];

export async function expectUsable(page: Page, where: string): Promise<void> {
  const faults = await page.evaluate(async (tags) => {
    const { violations, passes } = await (window as unknown as { axe: typeof axe }).axe.run({
      runOnly: tags,
    });
    if (passes.length < 5) return ["axe found next to nothing to look at"];
    return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}`));
  }, TAGS);
  expect(faults, where).toEqual([]);
  expect(await overflow(page), where).toBeLessThanOrEqual(0);
}

async function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
}

/** What stands partly outside of a box that cuts it off. */
async function cut(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll(".links ul, .card-paper, .choices, .block, .explained")]
      .filter((one) => one.scrollWidth > one.clientWidth)
      .map((one) => one.textContent),
  );
}

/** Goes to a screen, and waits until it has what it asked for. */
async function visit(page: Page, place: string): Promise<void> {
  await goTo(page, place);
  await page.locator(".loading").waitFor({ state: "detached" });
}

export function access(here: Here): void {
  describe.each([
    ["en-GB", "light", 390],
    ["lv-LV", "dark", 320],
    ["en-GB", "dark", 1280],
  ] as const)("in %s, %s, %d pixels wide", (locale, colorScheme, width) => {
    it("every screen is usable", async () => {
      const world = here();
      const phone = await world.open({ locale, colorScheme, width, height: 640 });
      const { page } = phone;
      // The page lets no foreign script in, so axe comes before the page's own policy.
      await phone.context.addInitScript({ content: axe.source });
      await phone.visit(world.services.page);
      await expectUsable(page, "welcome");
      await takeCard(phone, world.services, world.services.card(0, 2));
      const card = await page.evaluate(() => location.hash);
      for (const one of PAGES) {
        await visit(page, one === "" ? card : `${card}/${one}`);
        await expectUsable(page, one);
      }
      for (const one of WALLET) {
        await visit(page, `#/${one}`);
        await expectUsable(page, one);
      }
      await visit(page, card);
      await page.locator(".code-button").click();
      await page.locator("dialog[open]").waitFor();
      await expectUsable(page, "full code");
      await page.keyboard.press("Escape");
      await page.locator("dialog").waitFor({ state: "detached" });
      await page.locator(".under-card > button").click();
      await page.locator("dialog[open]").waitFor();
      await expectUsable(page, "numbers");
    });
  });

  it("what changes by itself speaks to nobody, and moves little where that is wished", async () => {
    const world = here();
    const phone = await world.open();
    const { page } = phone;
    await page.emulateMedia({ reducedMotion: "reduce" });
    await takeCard(phone, world.services, world.services.card(0, 1));
    const live = "[role=status], [role=alert], [aria-live]";
    for (const changing of [".code-box", ".live-time", ".ring"]) {
      const isLive = await page.locator(changing).evaluate((one, all) => one.closest(all) !== null, live);
      expect(isLive, changing).toBe(false);
    }
    const motion = page.locator(".ring-left");
    expect(await motion.evaluate((one) => getComputedStyle(one).animationTimingFunction)).toBe("steps(5)");
  });

  it("a phone that is turned, and turned back, goes on showing its code in whole pixels", async () => {
    const world = here();
    const phone = await world.open({ width: 390, height: 844 });
    const { page } = phone;
    await takeCard(phone, world.services, world.services.card(0, 2));
    await shownCode(page);
    const [face, code] = [page.locator(".card"), page.locator(".code-box")];
    await page.locator(".holder-name").evaluate((one, name) => (one.textContent = name), LONG_NAME);
    for (const [width, height] of [
      [844, 390],
      [320, 640],
      [1280, 800],
      [390, 844],
    ] as const) {
      await page.setViewportSize({ width, height });
      await page.waitForFunction((wanted) => innerWidth === wanted, width);
      const paper = page.locator(".card-paper");
      await expect
        .poll(() => paper.evaluate((one) => one.scrollWidth - one.clientWidth), {
          message: `${width} pixels wide`,
        })
        .toBeLessThanOrEqual(0);
      const [whole, part] = [await face.boundingBox(), await code.boundingBox()];
      expect(part?.width, `${width} pixels wide`).toBeGreaterThan((whole?.width ?? 0) / 3);
    }
    await shownCode(page);
    // How far a module is from whole pixels: nothing, once the code has been fitted to its new place.
    const picture = page.locator(".code-box svg[viewBox]").first();
    const rest = (one: SVGSVGElement): number => {
      const module = (one.getBoundingClientRect().width * devicePixelRatio) / one.viewBox.baseVal.width;
      return Math.abs(module - Math.round(module));
    };
    await expect.poll(() => picture.evaluate(rest)).toBeLessThan(1e-6);
  });

  it("text of twice the size needs no scrolling sideways, and all is worked by keyboard", async () => {
    const world = here();
    const phone = await world.open({ width: 320, height: 640 });
    const { page } = phone;
    await takeCard(phone, world.services, world.services.card(0, 2));
    const card = await page.evaluate(() => location.hash);
    await page.getByRole("radio", { name: "Status" }).focus();
    await page.keyboard.press("ArrowRight");
    await page.getByText("Also your full name").waitFor();
    await page.locator(".code-button").focus();
    await page.keyboard.press("Enter");
    await shownCode(page);
    await page.keyboard.press("Escape");
    await page.locator("dialog").waitFor({ state: "detached" });
    // As the browser's own setting of the text's size does it.
    const session = await phone.context.newCDPSession(page);
    await session.send("Page.setFontSizes", { fontSizes: { standard: 32, fixed: 26 } });
    await page.reload();
    await shownCode(page);
    expect(await page.evaluate(() => parseFloat(getComputedStyle(document.documentElement).fontSize))).toBe(
      34,
    );
    const places = [
      card,
      ...PAGES.slice(1).map((one) => `${card}/${one}`),
      ...WALLET.map((one) => `#/${one}`),
    ];
    // English, then Latvian with its longer words.
    for (const language of ["English", "Latviešu"]) {
      await visit(page, "#/settings");
      await page.getByRole("radio", { name: language }).check();
      for (const place of places) {
        await visit(page, place);
        expect(await overflow(page), `${language} ${place}`).toBeLessThanOrEqual(0);
        expect(await cut(page), `${language} ${place}`).toEqual([]);
      }
    }
  });
}
