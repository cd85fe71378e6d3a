/** Passes for the wallets of Apple and Google, from a service with certificates of the tests' own. */

import { readFileSync } from "node:fs";

import axe from "axe-core";
import { expect, it } from "vitest";

import { goTo, takeCard } from "../devices.ts";
import type { Here } from "../world.ts";
import { expectUsable } from "./access.ts";

const GOOGLE = "https://pay.google.com/gp/v/save/";

export function passes(here: Here): void {
  it("a pass is taken as a signed file or a link, said to be held, and taken back", async () => {
    const { services } = here();
    const phone = await here().open();
    await phone.context.addInitScript({ content: axe.source });
    const page = await takeCard(phone, services, services.card(0, 2));
    await goTo(page, `${await page.evaluate(() => location.hash)}/passes`);
    const [apple, google] = ["Apple Wallet", "Google Wallet"].map((name) =>
      page.getByRole("region", { name }),
    );
    const downloading = page.waitForEvent("download");
    await apple?.getByRole("button", { name: "Add to Apple Wallet" }).click();
    const file = readFileSync(await (await downloading).path());
    // A ZIP whose first file is the pass; that it is signed as Apple wants is the service's to test.
    expect(file.subarray(0, 4).toString("latin1")).toBe("PK\x03\x04");
    expect(file.includes("pass.json") && file.includes("signature")).toBe(true);
    await page.getByText("The pass is on this phone").waitFor();
    await apple?.getByText("This phone took a pass.").waitFor();
    await expectUsable(page, "a pass is held");
    await apple?.getByRole("button", { name: "Take the pass back" }).click();
    await apple?.getByText("The pass is taken back.").waitFor();
    await apple?.getByRole("button", { name: "Take the pass back" }).waitFor({ state: "detached" });
    const opened: string[] = [];
    await page.route(`${GOOGLE}**`, (route) => {
      opened.push(route.request().url());
      return route.fulfill({ body: "Google's page" });
    });
    await google?.getByRole("button", { name: "Add to Google Wallet" }).click();
    await page.getByText("Google's page", { exact: true }).waitFor();
    expect(opened).toHaveLength(1);
    expect(opened[0]?.length).toBeLessThanOrEqual(1800);
  });
}
