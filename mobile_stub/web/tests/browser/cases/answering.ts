/** A scanner that asks is answered: what the student sees, agrees to or not, and the scanner's verdict. */

import { join } from "node:path";

import axe from "axe-core";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";

import { writeVideo } from "../../../../../verifier/web/tests/browser/video.ts";
import { shownCode, stopClock, takeCard } from "../devices.ts";
import { filmOf, greyFrame } from "../films.ts";
import { askForAnswer, openScanner } from "../scanner.ts";
import type { Here } from "../world.ts";
import { expectUsable } from "./access.ts";

async function openAnswer(page: Page): Promise<void> {
  await page.getByRole("link", { name: "Menu" }).click();
  await page.getByRole("link", { name: "Answer a scanner that asks" }).click();
}

async function read(page: Page, request: string): Promise<void> {
  await page.getByLabel("Text of the request").fill(request);
  await page.getByRole("button", { name: "Read the request" }).click();
}

/** Each code of the answer as a picture, by hand. */
async function pictures(page: Page): Promise<Buffer[]> {
  await page.getByRole("button", { name: "Pause" }).click();
  const place = page.locator(".answer-place");
  const total = Number(/of (\d+)/.exec(await place.innerText())?.[1]);
  const seen = new Map<string, Buffer>();
  while (seen.size < total) {
    seen.set(await place.innerText(), await page.locator(".code-box").screenshot());
    await page.keyboard.press("ArrowRight");
  }
  return [...seen.values()];
}

async function shownList(page: Page, address: string): Promise<string> {
  await page.goto(`${address}/#/shown`);
  await page.getByRole("heading", { name: "What you showed" }).waitFor();
  await page.getByText("Answer to").first().waitFor();
  return page.locator("main").innerText();
}

export function answering(here: Here): void {
  describe("a scanner that asks", () => {
    it("is answered: read by the camera, agreed to, shown in parts, accepted; all without network", async () => {
      const world = here();
      const { services } = world;
      const card = services.card(0, 0);
      const [requestFilm, answerFilm] = ["request.y4m", "answer.y4m"].map((name) => join(world.folder, name)) as [string, string]; // prettier-ignore
      const phone = await world.open({ film: requestFilm });
      const { page } = phone;
      await takeCard(phone, services, card);
      // After the card was issued: the scanner knows its status list.
      const scanner = await openScanner(world, answerFilm);
      const start = Date.now();
      for (const device of [phone, scanner]) await stopClock(device.page, start);
      filmOf(await askForAnswer(scanner.page), requestFilm);
      await phone.installed();
      await phone.context.setOffline(true);
      await openAnswer(page);
      await page.getByRole("button", { name: "Scan the code" }).click();
      await page.getByText("“City library” asks").waitFor();
      await page.getByText("Nothing proves it").waitFor();
      const asked = await page.locator("main").innerText();
      expect(asked).toContain(card.name);
      expect(asked).toContain("urn:schac:personalUniqueCode:");
      expect(asked).not.toContain("Bachelor"); // is not asked for
      await page.getByRole("button", { name: "Agree and show" }).click();
      const frames: Uint8Array[] = [];
      for (const picture of await pictures(page)) frames.push(await greyFrame(page, picture));
      expect(frames.length).toBeGreaterThan(2);
      writeVideo(answerFilm, frames.flatMap((frame) => [frame, frame, frame, frame])); // prettier-ignore
      await scanner.page.getByRole("button", { name: "Scan the answer" }).click();
      const valid = scanner.page.getByRole("dialog", { name: "VALID" });
      await valid.waitFor();
      expect(await valid.innerText()).toContain("shown by its own wallet");
      expect(await valid.innerText()).toContain(card.name);
      const list = await shownList(page, services.page);
      expect(list).toContain("Answer to “City library”: Name, European Student Identifier");
    });

    it("is declined as easily, told less, or not at all: then nothing is signed, and nothing noted", async () => {
      const world = here();
      const { services } = world;
      const scanner = await openScanner(world, join(world.folder, "nothing.y4m"));
      const request = await askForAnswer(scanner.page);
      const phone = await world.open({ width: 320, height: 640 });
      const { page } = phone;
      await phone.context.addInitScript({ content: axe.source });
      await takeCard(phone, services, services.card(0, 1));
      await stopClock(page);
      await openAnswer(page);
      await read(page, "https://esc.gg/hello");
      await page.getByText("This is no request for your card").waitFor();
      await read(page, request.replace("ESCR1/", "ESCR2/"));
      await page.getByText("of a newer kind").waitFor();
      await read(page, request);
      const [agree, decline] = ["Agree and show", "Decline"].map((name) => page.getByRole("button", { name })); // prettier-ignore
      const looks = [await agree?.getAttribute("class"), await decline?.getAttribute("class")];
      expect(looks[0]).toBe(looks[1]);
      await decline?.click();
      await page.getByText("Declined. Nothing was told.").waitFor();
      await page.goto(`${services.page}/#/shown`);
      await page.getByRole("heading", { name: "What you showed" }).waitFor();
      expect(await page.getByText("Answer to").count()).toBe(0);
      await page.goto(`${services.page}/#/`);
      await shownCode(page);
      await openAnswer(page);
      await read(page, request);
      await expectUsable(page, "consent");
      await page.getByRole("checkbox", { name: "European Student Identifier" }).uncheck();
      await page.emulateMedia({ reducedMotion: "reduce" });
      await agree?.click();
      // Nothing moves by itself; a tap on the code shows the next one.
      await page.getByRole("button", { name: "Play" }).waitFor();
      await page.getByText("Code 1 of").waitFor();
      await page.waitForTimeout(1_200);
      await page.getByText("Code 1 of").waitFor();
      await page.locator(".code-button").click();
      await page.getByText("Code 2 of").waitFor();
      await expectUsable(page, "parts");
      await page.evaluate("{ const now = Date.now; Date.now = () => now() + 90_000; }");
      await page.getByText("This answer is too old now.").waitFor();
      expect(await page.locator(".code-box").count()).toBe(0);
      const list = await shownList(page, services.page);
      await expectUsable(page, "what was shown");
      expect(list).toContain("Answer to “City library”: Name");
      expect(list).not.toContain("European Student Identifier");
    });
  });
}
