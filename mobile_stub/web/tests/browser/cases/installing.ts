/** Putting the wallet on the home screen, as each kind of phone does it. */

import { describe, expect, it } from "vitest";

import { takeCard } from "../devices.ts";
import type { Here } from "../world.ts";

const IPHONE =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1";

export function installing(here: Here): void {
  describe("the home screen", () => {
    it("Chromium finds the wallet fit to be installed, and its offer becomes a button, used once", async () => {
      const { services } = here();
      const phone = await here().open({ hasProfile: true });
      const page = await takeCard(phone, services, services.card(1, 0));
      await phone.installed();
      const session = await phone.context.newCDPSession(page);
      const faults = async (): Promise<unknown> =>
        (await session.send("Page.getInstallabilityErrors")).installabilityErrors;
      await expect.poll(faults).toEqual([]);
      await page.getByRole("heading", { name: "Put it on the home screen" }).waitFor();
      // The event that Chromium sends to phones; a browser without a screen sends none.
      await page.evaluate(() => {
        const offer = new Event("beforeinstallprompt", { cancelable: true });
        const prompt = (): Promise<unknown> => {
          document.documentElement.dataset["prompted"] = String(offer.defaultPrevented);
          return Promise.resolve({ outcome: "accepted" });
        };
        window.dispatchEvent(Object.assign(offer, { prompt }));
      });
      await page.getByRole("button", { name: "Add to the home screen" }).click();
      // The browser's own bar was kept back, and its question asked at our button.
      await page.locator("html[data-prompted=true]").waitFor();
      await page.getByRole("button", { name: "Add to the home screen" }).waitFor({ state: "detached" });
    });

    it("a phone of Apple's gets the steps, and who puts it off is not asked again", async () => {
      const { services } = here();
      const phone = await here().open({ userAgent: IPHONE });
      const page = await takeCard(phone, services, services.card(1, 0));
      expect(await page.locator(".steps li").count()).toBe(3);
      await page.getByRole("button", { name: "Later" }).click();
      await page.locator(".install").waitFor({ state: "detached" });
      await phone.visit(services.page);
      await page.getByRole("article").waitFor();
      expect(await page.locator(".install").count()).toBe(0);
    });
  });
}
