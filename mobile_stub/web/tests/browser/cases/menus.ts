/** Everything around the card: phones, photo, printing, what was shown, languages. */

import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";

import { giveCode, goTo, shownCode, takeCard } from "../devices.ts";
import { readPicture } from "../../python.ts";
import type { Here } from "../world.ts";

/** What is kept once all that is being written is written: the storage answers in turn. */
async function keptLanguage(page: Page): Promise<unknown> {
  return page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open("esc-wallet");
        opening.onerror = reject;
        opening.onsuccess = () => {
          const { result: database } = opening;
          const reading = database.transaction("settings").objectStore("settings").get("language");
          reading.onerror = reject;
          reading.onsuccess = () => {
            database.close();
            resolve(reading.result);
          };
        };
      }),
  );
}

export function menus(here: Here): void {
  describe("around the card", () => {
    it("phones are listed and named, what was shown is listed and deleted, and the language stays", async () => {
      const world = here();
      const phone = await world.open();
      const { page } = phone;
      await takeCard(phone, world.services, world.services.card(0, 3));
      await page.getByRole("link", { name: "Menu" }).click();
      await page.getByRole("link", { name: "Phones with this card" }).click();
      await page.getByText("This phone", { exact: true }).first().waitFor();
      await page.getByLabel("Name of this phone").fill("Līgas Pixel");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText("Līgas Pixel").waitFor();
      await page.clock.install();
      await phone.visit(`${world.services.page}/#/`);
      await shownCode(page);
      // A code counts as shown when it was in sight for three seconds.
      await page.clock.fastForward(3_000);
      await goTo(page, "#/shown");
      await page
        .getByText(/Daugava University · Status/)
        .first()
        .waitFor();
      await page.getByRole("button", { name: "Delete the list" }).click();
      await page.getByText("Nothing yet.").waitFor();
      await page.goto(`${world.services.page}/#/settings`);
      await page.getByRole("radio", { name: "Latviešu" }).check();
      await page.getByRole("heading", { name: "Valoda un slēgs" }).waitFor();
      expect(await keptLanguage(page)).toBe("lv");
      await page.reload();
      await page.getByRole("heading", { name: "Valoda un slēgs" }).waitFor();
      expect(await page.evaluate(() => document.documentElement.lang)).toBe("lv");
    });

    it("a photo is cut, looked at, sent, and waits for approval; a file that is no picture is refused", async () => {
      const world = here();
      const phone = await world.open();
      const { page } = phone;
      await takeCard(phone, world.services, world.services.card(0, 2));
      await page.evaluate(() => (location.hash += "/photo"));
      await page.getByLabel("Choose a photo").setInputFiles({
        name: "notes.jpg",
        mimeType: "image/jpeg",
        buffer: Buffer.from("not a picture"),
      });
      await page.getByText("This file is no picture that can be used.").waitFor();
      const picture = await page.screenshot({ type: "jpeg" });
      await page
        .getByLabel("Choose a photo")
        .setInputFiles({ name: "me.jpg", mimeType: "image/jpeg", buffer: picture });
      await page.getByLabel("Size").fill("2");
      await page.getByRole("button", { name: "Preview" }).click();
      await page.getByAltText("Your photo as it would be on the card").waitFor();
      await page.getByRole("button", { name: "Send" }).click();
      await page.getByText("Your photo waits for approval.").waitFor();
      await page.getByRole("button", { name: "Take it back" }).click();
      await page.getByText("Your photo waits for approval.").waitFor({ state: "hidden" });
    });

    it("where the institution asks, the student sees what leaves, agrees or does not, and can withdraw", async () => {
      const world = here();
      const { services } = world;
      const card = services.card(2, 0);
      const offer = await services.offer(card);
      const phone = await world.open();
      const page = await phone.visit(services.link(offer));
      await giveCode(page, offer.tx_code);
      await page.getByRole("heading", { name: "Sharing with the European router" }).waitFor();
      await page.getByText("European Student Identifier").waitFor();
      await page.getByRole("button", { name: "No, thank you" }).click();
      await shownCode(page);
      await page.getByText("asks whether your card may be registered").waitFor();
      await page.getByRole("link", { name: "Read and decide" }).click();
      await page.getByRole("button", { name: "I agree" }).click();
      await page.getByText(/You agreed on/).waitFor();
      await page.getByRole("button", { name: "Withdraw" }).click();
      await page.getByText("Your data is being removed from the router.").waitFor();
      await page.getByRole("button", { name: "I agree" }).waitFor();
    });

    it("the sheet is one page of A4 with cards in their real size, and no other screen prints a code", async () => {
      const world = here();
      const phone = await world.open();
      const { page } = phone;
      await takeCard(phone, world.services, world.services.card(0, 1));
      const card = await page.evaluate(() => location.hash);
      await page.evaluate(() => (location.hash += "/print"));
      await page.getByRole("heading", { name: "Print" }).waitFor();
      await page.getByRole("checkbox", { name: "Identity" }).check();
      await page.emulateMedia({ media: "print" });
      const cards = page.locator(".cut-line");
      expect(await cards.count()).toBe(2);
      const box = await page.locator(".printed.front").first().boundingBox();
      expect((box?.width ?? 0) / (96 / 25.4)).toBeCloseTo(85.6, 0);
      expect((box?.height ?? 0) / (96 / 25.4)).toBeCloseTo(54, 0);
      expect(await page.getByText("accepted only where printed cards are").count()).toBeGreaterThan(0);
      for (const code of await page.locator(".printed-code").all()) {
        expect(readPicture(await code.screenshot())).toContain(`${world.services.card(0, 1).escn}#E1`);
      }
      const pdf = (await page.pdf({ preferCSSPageSize: true })).toString("latin1");
      expect(pdf.match(/\/Type\s*\/Page\b/g)).toHaveLength(1);
      await goTo(page, card);
      await page.locator(".code-box").waitFor({ state: "attached" });
      expect(await page.locator(".code-box").isVisible()).toBe(false);
      expect(pdf).toMatch(/\/MediaBox\s*\[0 0 59[45]\.\d+ 84[12]\.\d+\]/);
    });
  });
}
