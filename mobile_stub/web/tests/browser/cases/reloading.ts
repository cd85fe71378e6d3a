/** An offer outlives the page: a reload loses neither it nor what was begun, and no history has it. */

import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";

import { giveCode, goTo, shownCode, takeCard } from "../devices.ts";
import type { Here } from "../world.ts";

/** Every address that the tab's history has. */
async function history(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  const { entries } = await session.send("Page.getNavigationHistory");
  return entries.map(({ url }) => url);
}

/** The names of settings that are kept; all that was being written is written then. */
async function keptSettings(page: Page): Promise<unknown> {
  return page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open("esc-wallet");
        opening.onerror = reject;
        opening.onsuccess = () => {
          const { result: database } = opening;
          const reading = database.transaction("settings").objectStore("settings").getAllKeys();
          reading.onerror = reject;
          reading.onsuccess = () => {
            database.close();
            resolve(reading.result);
          };
        };
      }),
  );
}

export function reloading(here: Here): void {
  describe("an offer outlives the page", () => {
    it("that is loaded anew before it was read, and is kept until it is begun; no history has it", async () => {
      const { services } = here();
      const offer = await services.offer(services.card(0, 0));
      services.wire.fate = () => "never arrives";
      const phone = await here().open();
      const page = await phone.visit(services.link(offer));
      await page.getByText("Nothing is lost.").waitFor();
      expect(await keptSettings(page)).toContain("offer");
      await page.reload();
      await page.getByText("Nothing is lost.").waitFor();
      await phone.visit(services.page);
      await page.getByText("An offer that you opened is not read yet.").waitFor();
      services.wire.fate = () => "through";
      await page.getByRole("link", { name: "Go on" }).click();
      await page.locator(".tx-code").waitFor();
      expect(await keptSettings(page)).not.toContain("offer");
      expect((await history(page)).filter((address) => address.includes("cred"))).toEqual([]);
    });

    it("in the middle of typing the code: the same screen asks for it again, and the card comes once", async () => {
      const { services } = here();
      const offer = await services.offer(services.card(0, 1));
      const phone = await here().open();
      const page = await phone.visit(services.link(offer));
      await page.locator(".tx-code").fill("12");
      await page.reload();
      expect(await page.locator(".tx-code").inputValue()).toBe("");
      await giveCode(page, offer.tx_code);
      await shownCode(page);
      expect((await history(page)).filter((address) => /cred|take/.test(address))).toEqual([]);
      await goTo(page, "#/cards");
      await page.getByRole("article").first().waitFor();
      expect(await page.getByRole("article").count()).toBe(1);
    });

    it("also when its link is opened in a tab where the wallet is already", async () => {
      const { services } = here();
      const offer = await services.offer(services.card(0, 2));
      const phone = await here().open();
      const page = await phone.visit(services.page);
      // Later than the answer to us: the page begins anew with it.
      await page.evaluate(
        (hash) => {
          setTimeout(() => (location.hash = hash));
        },
        new URL(services.link(offer)).hash,
      );
      await page.locator(".tx-code").waitFor();
      expect((await history(page)).filter((address) => address.includes("cred"))).toEqual([]);
    });

    it("but not its end: one that was cut off, let be or deleted with the last card is kept no longer", async () => {
      const { services } = here();
      const phone = await here().open();
      const { page } = phone;
      const offer = await services.offer(services.card(0, 3));
      for (const cut of ["#c", "#credential_off", services.link(offer).slice(services.page.length + 1, -9)]) {
        await phone.visit(`${services.page}/${cut}`);
        await page.getByRole("alert").getByText("The link is cut off.").waitFor();
        expect(await keptSettings(page)).not.toContain("offer");
      }
      services.wire.fate = () => "never arrives";
      await phone.visit(services.link(offer));
      await page.getByRole("button", { name: "Let it be" }).click();
      await page.getByRole("link", { name: "Take a card" }).waitFor();
      expect(await keptSettings(page)).not.toContain("offer");
      services.wire.fate = () => "through";
      await takeCard(phone, services, services.card(0, 3));
      services.wire.fate = (what) => (what.includes("/offers/") ? "never arrives" : "through");
      await phone.visit(services.link(await services.offer(services.card(0, 2))));
      await page.getByText("Nothing is lost.").waitFor();
      await goTo(page, "#/");
      await page.getByRole("link", { name: "Menu" }).click();
      await page.getByRole("link", { name: "Delete from this phone" }).click();
      await page.getByRole("button", { name: "Delete the card" }).click();
      await page.getByText("Deleted. Your university knows.").waitFor();
      expect(await keptSettings(page)).toEqual([]);
    });
  });
}
