/** Taking a card when something is in the way: said in one sentence, and gone on from there. */

import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";

import { shownCode } from "../devices.ts";
import type { Here } from "../world.ts";

/** Each is cut once, the first time that it is asked for. */
const CUTS = [
  ["POST", /\/token$/, "answer lost"],
  ["POST", /\/nonce$/, "never arrives"],
  ["POST", /\/credential$/, "never arrives"],
  ["POST", /\/credential$/, "answer lost"],
] as const;

async function paste(page: Page, link: string): Promise<void> {
  await page.getByLabel("Link of the offer").fill(link);
  await page.getByRole("button", { name: "Read the offer" }).click();
}

export function enrolling(here: Here): void {
  describe("taking a card", () => {
    it("what is no offer, is cut off or goes to nobody is refused in words, and nothing stays", async () => {
      const world = here();
      const { services } = world;
      const phone = await world.open();
      const page = await phone.visit(`${services.page}/#/add`);
      const offer = await services.offer(services.card(0, 3));
      const refusals = [
        ["hello", "This is no offer of a student card."],
        [offer.credential_offer_uri.slice(0, -9), "The link is cut off."],
        ["openid-credential-offer://?credential_offer_uri=http%3A%2F%2Fexample.org%2Fo", "without https"],
        [`${services.link(offer).split("#")[0] ?? ""}#credential_offer`, "The link is cut off."],
      ] as const;
      for (const [text, sentence] of refusals) {
        await paste(page, text);
        await page.getByRole("alert").getByText(sentence).waitFor();
      }
      await page.getByRole("link", { name: "Back" }).click();
      await page.getByRole("link", { name: "Take a card" }).waitFor();
    });

    it("a wrong code says how many tries are left, and after the last that the offer is closed", async () => {
      const world = here();
      const { services } = world;
      const card = services.card(0, 3);
      const offer = await services.offer(card);
      const wrong = offer.tx_code === "000000" ? "000001" : "000000";
      const phone = await world.open();
      const page = await phone.visit(services.link(offer));
      expect(page.url()).not.toContain("credential_offer");
      const type = async (code: string): Promise<void> => {
        await page.locator(".tx-code").fill(code);
        await page.getByRole("button", { name: "Take the card" }).click();
      };
      await type("12");
      await page.getByText("The code has 6 digits.").waitFor();
      for (const left of [4, 3, 2, 1]) {
        await type(wrong);
        await page.getByText(`Tries left: ${left}`).waitFor();
      }
      await type(wrong);
      await page.getByText("The offer is closed.").waitFor();
      await page.getByRole("button", { name: "Continue" }).click();
      await page.getByRole("button", { name: "Scan the code" }).waitFor();
    });

    it("cut off at each step, it goes on from where it was, also in a page that was opened anew, to one card", async () => {
      const world = here();
      const { services } = world;
      const card = services.card(1, 0);
      const offer = await services.offer(card);
      services.wire.fate = () => "never arrives";
      const phone = await world.open();
      const page = await phone.visit(services.link(offer));
      await page.getByText("Nothing is lost.").waitFor();
      const left = [...CUTS];
      services.wire.fate = (what) => {
        const at = left.findIndex(([method, path]) => what.startsWith(method) && path.test(what));
        return at < 0 ? "through" : (left.splice(at, 1)[0]?.[2] ?? "through");
      };
      // The address bar has forgotten the link: the page has not.
      await page.getByRole("button", { name: "Try again" }).click();
      await page.locator(".tx-code").fill(offer.tx_code);
      await page.getByRole("button", { name: "Take the card" }).click();
      const taken = page.locator(".card-screen");
      const again = page.locator("form .primary");
      for (let i = 0; i < 6 && left.length > 0; i += 1) {
        await again.or(taken).first().waitFor();
        if (await taken.isVisible()) break;
        if (i === 1) {
          await phone.visit(services.page);
          await page.getByText(/is not all here yet/).waitFor();
          await page.getByRole("link", { name: "Go on" }).click();
        }
        const code = page.locator(".tx-code");
        if (await code.isVisible()) await code.fill(offer.tx_code);
        await again.click();
      }
      await shownCode(page);
      expect(left).toEqual([]);
      await page.goto(`${services.page}/#/cards`);
      await page.getByRole("heading", { name: "All cards" }).waitFor();
      expect(await page.getByRole("article").count()).toBe(1);
    });
  });
}
