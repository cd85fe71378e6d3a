/** Cards of several institutions on one phone: swiped between, and one chosen for an answer. */

import { join } from "node:path";

import axe from "axe-core";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";

import { goTo, setAhead, shownCode, takeCard } from "../devices.ts";
import { askForAnswer, openScanner } from "../scanner.ts";
import type { Here, World } from "../world.ts";
import { expectUsable } from "./access.ts";

async function phoneWithTwo(world: World): Promise<Page> {
  const phone = await world.open({ hasTouch: true });
  await phone.context.addInitScript({ content: axe.source });
  await takeCard(phone, world.services, world.services.card(0, 0));
  return takeCard(phone, world.services, world.services.card(1, 0));
}

async function cardPlace(page: Page): Promise<string> {
  return page.evaluate(() => /^#\/card\/[^/]+/.exec(location.hash)?.[0] ?? "");
}

/** A finger from one place to another. */
async function swipe(
  page: Page,
  from: readonly [number, number],
  to: readonly [number, number],
): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const touch = async (
    type: "touchStart" | "touchMove" | "touchEnd",
    at?: readonly [number, number],
  ): Promise<void> => {
    await session.send("Input.dispatchTouchEvent", {
      type,
      touchPoints: at === undefined ? [] : [{ x: at[0], y: at[1] }],
    });
  };
  await touch("touchStart", from);
  await touch("touchMove", [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2]);
  await touch("touchMove", to);
  await touch("touchEnd");
}

export function several(here: Here): void {
  describe("two cards", () => {
    it("a finger brings the other card; one that scrolls, or goes past the last, does not", async () => {
      const page = await phoneWithTwo(here());
      const [first, second] = [/Daugava/, /Aalto/].map((name) => page.getByRole("article", { name }));
      await second?.waitFor();
      await swipe(page, [300, 300], [100, 310]);
      await swipe(page, [100, 500], [170, 300]);
      await second?.waitFor();
      await swipe(page, [80, 300], [300, 310]);
      await first?.waitFor();
      await shownCode(page);
      await swipe(page, [300, 300], [100, 310]);
      await second?.waitFor();
    });

    it("a request that both can answer is answered with the one that the student chooses; a wrong clock is said there, too", async () => {
      const world = here();
      const page = await phoneWithTwo(world);
      const scanner = await openScanner(world, join(world.folder, "none.y4m"));
      const request = await askForAnswer(scanner.page);
      const read = async (): Promise<void> => {
        await goTo(page, `${await cardPlace(page)}/answer`);
        await page.getByLabel("Text of the request").fill(request);
        await page.getByRole("button", { name: "Read the request" }).click();
        await page.getByText("“City library” asks").waitFor();
      };
      await read();
      expect(await page.getByRole("radio", { name: "Aalto Polytechnic" }).isChecked()).toBe(true);
      await page.getByText("A valid student card of Aalto Polytechnic").waitFor();
      await page.getByText("Which card answers").waitFor();
      await expectUsable(page, "choice of card");
      expect(await page.getByText("This phone's clock").count()).toBe(0);
      await page.getByRole("radio", { name: "Daugava University" }).check();
      await page.getByText("A valid student card of Daugava University").waitFor();
      await page.getByRole("button", { name: "Decline" }).click();
      // The card from whose menu it is asked is suspended: it tells nothing, the other one is offered by name.
      await world.services.change("suspend", world.services.card(1, 0));
      await setAhead(page, 3_600_000);
      await goTo(page, await cardPlace(page));
      await page.reload();
      await page.getByText("This phone's clock is 60 min fast").waitFor();
      await page.getByRole("heading", { name: "Suspended" }).waitFor();
      await expectUsable(page, "suspended, with a wrong clock");
      await read();
      await expectUsable(page, "another card answers");
      await page.getByRole("button", { name: "Daugava University" }).click();
      await page.getByText("This phone's clock is 60 min fast").waitFor();
      await page.getByRole("button", { name: "Agree and show" }).waitFor();
      await world.services.change("reinstate", world.services.card(1, 0));
    });
  });
}
