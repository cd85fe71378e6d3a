/** What a card becomes, and that the student sees it with its reason; no failure takes it away. */

import axe from "axe-core";
import { describe, expect, it } from "vitest";

import type { Services, Subject } from "../deployment.ts";
import { giveCode, goTo, goToNothing, setAhead, shownCode, stopClock, takeCard } from "../devices.ts";
import type { Here } from "../world.ts";
import { expectUsable } from "./access.ts";

/** The card's last day, as the institution has it. */
async function lastDayOf(services: Services, { institution, escn }: Subject): Promise<string> {
  const card = (await services.staff(institution, "GET", `cards/${escn}`)) as { readonly expires_on: string };
  return card.expires_on;
}

async function lastDay(services: Services, card: Subject): Promise<string> {
  const day = new Date(await lastDayOf(services, card));
  return new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "UTC" }).format(day);
}

export function states(here: Here): void {
  describe("the card's state", () => {
    it("a failed update is said and changes nothing; a suspension is shown with its reason, the code gone, and its end", async () => {
      const world = here();
      const { services } = world;
      const card = services.card(1, 1);
      const phone = await world.open();
      const { page } = phone;
      await takeCard(phone, services, card);
      services.wire.fate = () => "never arrives";
      await page.getByRole("button", { name: "Update" }).click();
      await page.getByText("Your university could not be asked just now.").waitFor();
      await shownCode(page);
      services.wire.fate = () => "through";
      await services.change("suspend", card, "fee open");
      await page.getByRole("button", { name: "Update" }).click();
      await page.getByRole("heading", { name: "Suspended" }).waitFor();
      await page.getByText("Reason given: fee open").waitFor();
      expect(await page.locator(".code-box").count()).toBe(0);
      await page.getByRole("button", { name: "Understood" }).click();
      await services.change("reinstate", card);
      await page.getByRole("button", { name: "Update" }).click();
      await shownCode(page);
      await page.getByText("Your card is active again.").waitFor();
    });

    it("a revocation is final, with its reason; the wallet without network still says so", async () => {
      const world = here();
      const { services } = world;
      const card = services.card(1, 3);
      const phone = await world.open();
      const { page } = phone;
      await takeCard(phone, services, card);
      await phone.installed();
      await services.change("revoke", card, "left");
      await page.getByRole("button", { name: "Update" }).click();
      await page.getByRole("heading", { name: "Revoked" }).waitFor();
      await phone.context.setOffline(true);
      await page.reload();
      await page.getByText("Reason given: left").waitFor();
      expect(await page.locator(".code-box").count()).toBe(0);
    });

    it("an expired card says so and since when, its code is gone, and it answers no digits; without network, too", async () => {
      const world = here();
      const { services } = world;
      const subject = services.card(2, 3);
      const phone = await world.open();
      const { page } = phone;
      await phone.context.addInitScript({ content: axe.source });
      const offer = await services.offer(subject);
      await phone.visit(services.link(offer));
      await giveCode(page, offer.tx_code);
      await page.getByRole("button", { name: "No, thank you" }).click();
      await shownCode(page);
      await page.getByText("asks whether your card may be registered").waitFor();
      await phone.installed();
      await services.endYesterday(subject);
      await page.getByRole("button", { name: "Update" }).click();
      await page.getByRole("heading", { name: "Expired" }).waitFor();
      await page.getByText("Your card has expired.").waitFor();
      // Nobody is asked any more whether it may be registered.
      expect(await page.getByText("asks whether your card may be registered").count()).toBe(0);
      expect(await page.locator(".code-box").count()).toBe(0);
      await expectUsable(page, "expired");
      await phone.context.setOffline(true);
      await page.reload();
      await page.getByText(`This card was valid until ${await lastDay(services, subject)}.`).waitFor();
      await page.getByText("If you still study, your university offers you a new card.").waitFor();
      await page.getByRole("article").getByRole("link", { name: "Take a card" }).waitFor();
      const card = await page.evaluate(() => /^#[/]card[/][^/]+/.exec(location.hash)?.[0] ?? "");
      await goTo(page, `${card}/challenge`);
      await page.getByLabel("Digits on the scanner").fill("1234");
      await page.getByRole("button", { name: "Show the code" }).click();
      await page.getByRole("heading", { name: "Expired" }).waitFor();
      await goTo(page, "#/cards");
      await page.getByText("Expired", { exact: true }).waitFor();
      expect(await page.locator(".code-box").count()).toBe(0);
    });

    it("without network the last day ends by the phone's own clock, not a second before", async () => {
      const world = here();
      const { services } = world;
      const subject = services.card(0, 1);
      const phone = await world.open();
      const { page } = phone;
      await takeCard(phone, services, subject);
      await phone.installed();
      await phone.context.setOffline(true);
      const over = Date.parse(await lastDayOf(services, subject)) + 86_400_000;
      await stopClock(page, over - 1000);
      await page.reload();
      // The code was good for a month, the card still is.
      await page.getByRole("heading", { name: "Code has run out" }).waitFor();
      await stopClock(page, over);
      await page.reload();
      await page.getByRole("heading", { name: "Expired" }).waitFor();
      await page.getByText(`This card was valid until ${await lastDay(services, subject)}.`).waitFor();
      expect(await page.locator(".code-box").count()).toBe(0);
    });

    it("a second phone ends the first, which says why; several cards are kept and switched by their dots", async () => {
      const world = here();
      const { services } = world;
      const [one, other] = [services.card(0, 1), services.card(1, 2)];
      const first = await world.open();
      await takeCard(first, services, one);
      const second = await world.open();
      await takeCard(second, services, one);
      await first.page.getByRole("button", { name: "Update" }).click();
      await first.page.getByRole("heading", { name: "Ended on this phone" }).waitFor();
      await first.page.getByText("You took the card on another phone").waitFor();
      await takeCard(second, services, other);
      const { page } = second;
      await page.getByRole("article", { name: /Aalto/ }).waitFor();
      await page.getByRole("link", { name: /Card 1 of 2/ }).click();
      await page.getByRole("article", { name: /Daugava/ }).waitFor();
      await shownCode(page);
      // The wallet opens with the card that was shown last.
      await second.visit(services.page);
      await page.getByRole("article", { name: /Daugava/ }).waitFor();
    });

    it("a clock an hour off is said, since codes would be refused", async () => {
      const world = here();
      const { services } = world;
      const phone = await world.open();
      await takeCard(phone, services, services.card(0, 0));
      await setAhead(phone.page, 3_600_000);
      await phone.page.reload();
      await phone.page.getByText("This phone's clock is 60 min fast, so codes would be refused.").waitFor();
    });

    it("cards that the browser has deleted are missed, and the way to take them again is one tap", async () => {
      const world = here();
      const { services } = world;
      const phone = await world.open();
      const { page } = phone;
      await takeCard(phone, services, services.card(0, 0));
      await phone.installed();
      await page.goto("about:blank");
      // Where nothing holds the database open, the wallet neither.
      const empty = await phone.context.newPage();
      await goToNothing(empty, services.page);
      await empty.evaluate(async () => {
        for (const { name } of await indexedDB.databases()) {
          await new Promise((resolve, reject) => {
            const request = indexedDB.deleteDatabase(name ?? "");
            request.onsuccess = resolve;
            request.onerror = reject;
          });
        }
      });
      expect(await empty.evaluate(() => document.scripts.length)).toBe(0);
      await empty.close();
      await phone.visit(services.page);
      await page.getByText("The browser has deleted your cards").waitFor();
      await page.getByRole("link", { name: "Take a card" }).click();
      await page.getByRole("button", { name: "Scan the code" }).waitFor();
      await takeCard(phone, services, services.card(0, 0));
      await phone.visit(services.page);
      await shownCode(page);
    });

    it("two tabs show the same: what one takes or deletes, the other has", async () => {
      const world = here();
      const { services } = world;
      const phone = await world.open();
      await phone.visit(services.page);
      const other = await phone.context.newPage();
      await other.goto(services.page);
      await other.getByRole("link", { name: "Take a card" }).waitFor();
      await takeCard(phone, services, services.card(0, 2));
      await shownCode(other);
      await other.getByRole("link", { name: "Menu" }).click();
      await other.getByRole("link", { name: "Delete from this phone" }).click();
      await other.getByRole("button", { name: "Delete the card" }).click();
      await other.getByText("Deleted. Your university knows.").waitFor();
      await phone.page.getByRole("link", { name: "Take a card" }).waitFor();
    });
  });
}
