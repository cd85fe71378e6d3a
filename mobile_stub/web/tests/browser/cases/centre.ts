/** An institution for which a national centre issues: the student meets the institution alone. */

import type { Page } from "playwright-core";
import { expect, it } from "vitest";

import { giveCode, shownCode } from "../devices.ts";
import type { Here } from "../world.ts";

export function centre(here: Here): void {
  it("from the offer to the page of staff's letter, a centre's student reads the institution's name, not the centre's", async () => {
    const { services } = here();
    const card = services.card(1, 2);
    const { institution } = card;
    const { centre } = services.told;
    const expectItsName = async (page: Page): Promise<void> => {
      await page.getByText(institution.name).first().waitFor();
      expect(await page.content()).not.toContain(centre);
    };
    const offer = await services.offer(card);
    const phone = await here().open();
    const page = await phone.visit(services.link(offer));
    await page.getByText(`${institution.name} offers you a student card.`).waitFor();
    await expectItsName(page);
    await giveCode(page, offer.tx_code);
    await shownCode(page);
    await expectItsName(page);
    const { items } = (await services.staff(institution, "GET", "students")) as {
      readonly items: readonly { readonly number: number; readonly full_name: string }[];
    };
    const number = items.find(({ full_name: name }) => name === card.name)?.number ?? 0;
    const letter = (await services.staff(institution, "POST", `students/${number}/letter`)) as {
      readonly address: string;
      readonly code: string;
    };
    const library = (await here().open()).page;
    await library.goto(letter.address);
    await library.getByLabel("Code of the letter").fill(letter.code);
    await library.getByRole("button", { name: "Continue" }).click();
    await library.getByText(card.escn).first().waitFor();
    await expectItsName(library);
    await library.getByRole("link", { name: /End this phone/ }).click();
    await library.getByRole("button", { name: "End this phone" }).click();
    await library.getByText("The phone was ended.").waitFor();
    await page.getByRole("button", { name: "Update" }).click();
    await page.getByRole("heading", { name: "Ended on this phone" }).waitFor();
    await expectItsName(page);
  });
}
