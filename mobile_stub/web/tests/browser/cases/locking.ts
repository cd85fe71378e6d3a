/** The lock: a PIN whose failures make one wait, and the phone's own check. */

import { describe, expect, it } from "vitest";

import { setAhead, shownCode, stopClock, takeCard } from "../devices.ts";
import type { Here } from "../world.ts";

export function locking(here: Here): void {
  describe("the lock", () => {
    it("a PIN stands before the card; failures make one wait, also in a page that was opened anew", async () => {
      const world = here();
      const phone = await world.open();
      const { page } = phone;
      await takeCard(phone, world.services, world.services.card(0, 0));
      await page.goto(`${world.services.page}/#/settings`);
      await page.getByRole("button", { name: "Set a PIN" }).click();
      await page.getByLabel("New PIN (4 to 12 digits)").fill("12");
      await page.getByLabel("Once more").fill("12");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText("A PIN has 4 to 12 digits.").waitFor();
      await page.getByLabel("New PIN (4 to 12 digits)").fill("2580");
      await page.getByLabel("Once more").fill("2580");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText("A PIN is set.").waitFor();
      // Who is slow has waited already.
      await stopClock(page);
      await phone.visit(world.services.page);
      expect(await page.getByRole("article").count()).toBe(0);
      const attempt = async (pin: string): Promise<void> => {
        await page.getByLabel("PIN").fill(pin);
        await page.getByRole("button", { name: "Open" }).click();
      };
      for (let i = 0; i < 3; i += 1) {
        await attempt("1111");
        await page.getByText("That is not it.").waitFor();
        await phone.visit(world.services.page);
      }
      await attempt("2580");
      await page.getByText(/Wait \d s/).waitFor();
      await setAhead(page, 5_000);
      await attempt("2580");
      await shownCode(page);
    });

    it("the phone's own check opens the wallet, and nothing else does", async () => {
      const world = here();
      const phone = await world.open();
      const { page } = phone;
      const session = await phone.context.newCDPSession(page);
      await session.send("WebAuthn.enable");
      const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", {
        options: {
          protocol: "ctap2",
          transport: "internal",
          hasResidentKey: true,
          hasUserVerification: true,
          isUserVerified: true,
          automaticPresenceSimulation: true,
        },
      });
      // An authenticator wants a name for a host, not a number.
      const address = world.services.page.replace("127.0.0.1", "localhost");
      const card = world.services.card(0, 3);
      await takeCard(phone, world.services, card, address);
      await page.goto(`${address}/#/settings`);
      await page.getByRole("button", { name: "Use fingerprint, face or phone code" }).click();
      await page.getByText("The phone's own check is set.").waitFor();
      await phone.visit(address);
      const open = page.getByRole("button", { name: "Open with fingerprint, face or phone code" });
      await session.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
      await open.click();
      await page.getByText("The phone's check did not succeed.").waitFor();
      expect(await page.getByRole("article").count()).toBe(0);
      await session.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });
      await open.click();
      await shownCode(page);
    });
  });
}
