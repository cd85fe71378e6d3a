/** A wallet that its host allows to talk to some issuers only. */

import { expect, it } from "vitest";

import en from "../../../src/languages/en.toml";
import type { Here } from "../world.ts";

export function policy(here: Here): void {
  it("an offer of an issuer that the wallet's host does not allow is refused as such", async () => {
    const world = here();
    const { services } = world;
    const phone = await world.open();
    const link = services.link(await services.offer(services.card(0, 0)));
    const page = await phone.visit(link.replace(services.page, services.told.strict_page));
    await page.getByText(en.refusals["issuer-unknown"].sentence.split("{")[0] ?? "").waitFor();
    // The browser says on the console what it did not allow: that is the point here.
    await expect.poll(() => phone.faults.splice(0)).not.toEqual([]);
  });
}
