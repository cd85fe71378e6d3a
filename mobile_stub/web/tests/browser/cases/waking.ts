/** The screen stays on while a code is shown, and no longer. */

import type { Page } from "playwright-core";
import { expect, it } from "vitest";

import { goTo, shownCode, takeCard } from "../devices.ts";
import type { Here } from "../world.ts";

/** Notes each lock that the browser gives. */
const NOTING = `
  window.locks = [];
  // Pages that are not secure, such as the first empty one, have none.
  if (window.WakeLock) {
    const { request } = WakeLock.prototype;
    WakeLock.prototype.request = async function (kind) {
      const lock = await request.call(this, kind);
      window.locks.push(lock);
      return lock;
    };
  }`;

interface Noted {
  readonly locks: readonly WakeLockSentinel[];
}

/** Waits until so many locks were given in all, the last of which is held or none is. */
async function locks(page: Page, given: number, held: number): Promise<void> {
  await page.waitForFunction(
    ([all, living]) => {
      const { locks } = window as unknown as Noted;
      return locks.length === all && locks.filter(({ released }) => !released).length === living;
    },
    [given, held],
  );
}

/** What the browser does with a page that goes out of sight, or comes back. */
async function hide(page: Page, isHidden: boolean): Promise<void> {
  await page.evaluate(async (hidden) => {
    const { locks } = window as unknown as Noted;
    if (hidden) await Promise.all(locks.map((lock) => lock.release()));
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange"));
  }, isHidden);
}

export function waking(here: Here): void {
  it("the screen is kept on while a code is shown, again after it was out of sight, and let go elsewhere", async () => {
    const { services } = here();
    const phone = await here().open();
    const { page } = phone;
    await phone.context.addInitScript(NOTING);
    await phone.context.grantPermissions(["screen-wake-lock"]);
    await takeCard(phone, services, services.card(0, 1));
    const card = await page.evaluate(() => location.hash);
    await page.reload();
    await shownCode(page);
    await locks(page, 1, 1);
    await page.locator(".code-button").click();
    await shownCode(page);
    await page.keyboard.press("Escape");
    await locks(page, 1, 1);
    await hide(page, true);
    await locks(page, 1, 0);
    await hide(page, false);
    await locks(page, 2, 1);
    await hide(page, false);
    await goTo(page, `${card}/menu`);
    await locks(page, 2, 0);
    await goTo(page, card);
    await locks(page, 3, 1);
    await services.change("suspend", services.card(0, 1));
    await page.getByRole("button", { name: "Update" }).click();
    await page.getByRole("heading", { name: "Suspended" }).waitFor();
    await locks(page, 3, 0);
    await services.change("reinstate", services.card(0, 1));
    expect(await page.locator(".code-box").count()).toBe(0);
  });
}
