/** A wallet that its host allows to talk to some issuers only. */

import { expect, it } from "vitest";

import en from "../../../src/languages/en.toml";
import { Program } from "../deployment.ts";
import { SLOW, type Here } from "../world.ts";

export function policy(here: Here): void {
  it(
    "an offer of an issuer that the wallet's host does not allow is refused as such",
    async () => {
      const { services, open } = { services: here().services, open: () => here().open() };
      const other = "https://cards.example";
      const host = await Program.start("mobile_stub", "web", "--port", "0", "--allow-issuer", other);
      const card = services.card(0, 0);
      const offer = await services.offer(card.institution, card.escn);
      const phone = await open();
      const link = services.link(offer).replace(services.page, host.said.trim());
      const page = await phone.visit(link);
      await page.getByText(en.refusals["issuer-unknown"].sentence.split("{")[0] ?? "").waitFor();
      // The browser says on the console what it did not allow: that is the point here.
      expect(phone.faults.splice(0)).not.toEqual([]);
      await host.stop();
    },
    SLOW,
  );
}
