/** Asking a phone: by a code for a presentation, answered in parts; and by digits for a live code. */

import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { Locator, Page } from "playwright-core";
import { describe, expect, it } from "vitest";

import { joinParts } from "../../src/check/presentation_qr.ts";
import { parseRequest } from "../../src/check/presentation_request.ts";
import { readVector } from "../vector_files.ts";
import { attestationFor } from "./command_phone.ts";
import { answerTo, liveCode } from "./phone.ts";
import { SLOW, SLOW_TIME, useSite } from "./site.ts";
import { frameOf, writeVideo } from "./video.ts";
import { NOW, qrModules, readCode, writeOtherList } from "./world.ts";

const STATIC = readVector("esc_qr/valid_static_status.txt").payload;
// The same nonce each time, so that a film of the answer can be made before the request.
const NO_CHANCE = `crypto.getRandomValues = (array) => array.fill(7);`;

const site = useSite();

/** Asks, as the library does, and reads the code that is on the screen. */
async function ask(page: Page): Promise<string> {
  await page.getByLabel("Service").selectOption("library");
  await page.getByRole("button", { name: "Ask for a presentation" }).click();
  const name = page.getByRole("dialog").getByLabel("Name of this place");
  await name.fill("City library");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  return readCode(await page.locator(".qr").screenshot());
}

async function give(page: Page, text: string): Promise<void> {
  await page.getByLabel("Code, typed by a scanner or pasted").fill(text);
  await page.getByRole("button", { name: "Check", exact: true }).click();
}

function answerOf(page: Page): Locator {
  return page.locator("dialog.answer[open]");
}

describe("a presentation", () => {
  it(
    "is asked for by a code, scanned in parts by the camera, and decided",
    async () => {
      // What will be asked is known: the library's rules, the place, a nonce without chance.
      let page = await site.scanner({ script: NO_CHANCE });
      const parts = await answerTo(await ask(page));
      const path = join(site.folder, "answer.y4m");
      const frames = parts.map((part, seed) => frameOf(qrModules(part), { modulePixels: 5 }, seed));
      writeVideo(
        path,
        frames.flatMap((frame) => [frame, frame, frame, frame]),
      );
      page = await site.scanner({ video: path, script: NO_CHANCE + SLOW_TIME });
      await ask(page);
      // Before the click: the last part may come before the click's end is known here.
      const progress = page.waitForFunction(
        (text) => document.querySelector("main")?.innerText.includes(text),
        `of ${parts.length} codes`,
      );
      await page.getByRole("button", { name: "Scan the answer" }).click();
      await progress;
      await page.getByRole("dialog", { name: "VALID" }).waitFor();
      const text = await answerOf(page).innerText();
      for (const said of ["shown by its own wallet", "Līga Bērziņa", "urn:schac:"]) {
        expect(text).toContain(said);
      }
      expect(text).not.toContain("bachelor"); // was not asked for, and not disclosed
      // The phone goes on showing its codes: nothing is said of them any more.
      await page.getByRole("button", { name: "Next card" }).click();
      await page.waitForTimeout(1_000);
      expect(await answerOf(page).count()).toBe(0);
      expect(await page.getByText("answers no request").count()).toBe(0);
    },
    SLOW,
  );

  it(
    "asks for what the rules need, for more where that is ticked, and each time with a new nonce",
    async () => {
      const page = await site.scanner();
      const first = parseRequest(await ask(page));
      expect(first.audience).toBe("City library");
      expect(first.claims).toEqual(["name", "schac_personal_unique_code"]);
      expect(await page.getByRole("checkbox", { name: "name", exact: true }).isDisabled()).toBe(true);
      await page.getByRole("checkbox", { name: "level" }).check();
      const second = parseRequest(readCode(await page.locator(".qr").screenshot()));
      expect(second.claims).toEqual(["name", "academic_level", "schac_personal_unique_code"]);
      expect(second.nonce).not.toBe(first.nonce);
      // A phone that discloses less than what was asked in addition is told apart.
      const lines = await answerTo(readCode(await page.locator(".qr").screenshot()), {
        claims: ["name", "schac_personal_unique_code"],
      });
      await page.keyboard.press("Escape");
      for (const line of lines) await give(page, line);
      await page.getByRole("dialog", { name: "VALID" }).waitFor();
      await page.getByText("Asked for, not disclosed: level").waitFor();
    },
    SLOW,
  );

  it(
    "that answers another request, or none, is no card",
    async () => {
      const page = await site.scanner();
      const request = await ask(page);
      await page.keyboard.press("Escape");
      const lines = await answerTo(request);
      await page.getByRole("button", { name: "Ask no more" }).click();
      await give(page, lines[0] ?? "");
      await page.getByText("ask for a presentation first").waitFor();
      await page.getByRole("button", { name: "Ask for a presentation" }).click();
      await page.keyboard.press("Escape");
      for (const line of lines) await give(page, line);
      await page.getByText("[BadDeviceSignature]").waitFor();
      await page.getByRole("button", { name: "Next card" }).click();
      // Answered once: with this answer the request is over.
      expect(await page.getByText("Asked for:").count()).toBe(0);
    },
    SLOW,
  );

  it(
    "is never made of parts of two, and its progress is shown",
    async () => {
      const page = await site.scanner();
      const request = await ask(page);
      await page.keyboard.press("Escape");
      const mine = await answerTo(request);
      const other = await answerTo(request); // signed again: other bytes
      for (const line of mine.slice(0, -1)) await give(page, line);
      await page.getByText(`${mine.length - 1} of ${mine.length} codes`).waitFor();
      await give(page, other.at(-1) ?? "");
      await page.getByText(`1 of ${mine.length} codes`).waitFor();
      await give(page, `${mine[0]?.slice(0, -8) ?? ""}AAAAAAAA`);
      await page.getByText(`1 of ${mine.length} codes`).waitFor();
      await give(page, mine[0] ?? "");
      await page.getByText("[MalformedPresentation]").waitFor();
    },
    SLOW,
  );

  it(
    "by a wallet that holds a student attestation and nothing else is decided as well",
    async () => {
      const page = await site.scanner();
      const lines = attestationFor(await ask(page));
      await page.keyboard.press("Escape");
      for (const line of lines) await give(page, line);
      await page.getByRole("dialog", { name: "VALID" }).waitFor();
      const text = await answerOf(page).innerText();
      for (const said of ["shown by its own wallet", "Līga Bērziņa", "urn:schac:"]) {
        expect(text).toContain(said);
      }
      expect(text).not.toContain("not disclosed");
    },
    SLOW,
  );

  it(
    "of a credential that the service takes and no list names cannot be asked for, and the page says so",
    async () => {
      const other = join(site.folder, "other");
      mkdirSync(other);
      writeOtherList(other, 1); // it names no card
      const page = await (await site.open()).visit(site.server.address);
      const key = readFileSync(join(other, "anchor.json"), "utf8");
      await page.getByLabel("Public key of the trust list").fill(key);
      await page.getByRole("button", { name: "Save and fetch" }).click();
      await page.getByLabel("Bundle from a file").setInputFiles(join(other, "europe.escbundle"));
      await page.getByText("Stored: trust list").waitFor();
      await page.getByRole("button", { name: "Close" }).click();
      const request = parseRequest(await ask(page));
      expect(request.types).toEqual(["VerifiableStudentID"]);
      expect(await page.getByRole("checkbox", { name: "level" }).count()).toBe(0);
      await page.keyboard.press("Escape");
      await page.getByLabel("Service").selectOption("canteen");
      await page.getByRole("button", { name: "Ask for a presentation" }).click();
      await page.getByRole("alert").getByText("This cannot be asked").waitFor();
      expect(await page.locator(".qr").count()).toBe(0);
      await page.keyboard.press("Escape");
      await page.getByText("Asked for:").waitFor({ state: "detached" });
    },
    SLOW,
  );

  it(
    "pasted whole, one part a line, is taken as well",
    async () => {
      const page = await site.scanner();
      const lines = await answerTo(await ask(page));
      await page.keyboard.press("Escape");
      await page.getByLabel("Code, typed by a scanner or pasted").evaluate((input, text) => {
        const data = new DataTransfer();
        data.setData("text", text);
        input.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, cancelable: true }));
      }, lines.join("\r\n"));
      await page.getByRole("dialog", { name: "VALID" }).waitFor();
    },
    SLOW,
  );

  it(
    "in one text is held to the request as well",
    async () => {
      const page = await site.scanner();
      const whole = await joinParts(await answerTo(await ask(page)));
      await page.keyboard.press("Escape");
      await give(page, whole);
      await page.getByText("shown by its own wallet").waitFor();
      await page.getByRole("button", { name: "Next card" }).click();
      await give(page, whole); // once: the library takes nothing that it did not ask for
      await page.getByText("[StaticCode]").waitFor();
    },
    SLOW,
  );

  it(
    "that nobody answered within five minutes is asked for no more",
    async () => {
      const page = await site.scanner();
      const lines = await answerTo(await ask(page));
      await page.keyboard.press("Escape");
      await site.device.setTime(NOW + 301);
      await give(page, lines[0] ?? "");
      await page.getByText("ask for a presentation first").waitFor();
    },
    SLOW,
  );
});

describe("digits", () => {
  it(
    "are shown, must be in the live code, and change with each card",
    async () => {
      const page = await site.scanner();
      await page.getByRole("button", { name: "Ask for digits" }).click();
      const digits = page.locator(".digits");
      const first = await digits.innerText();
      expect(first).toMatch(/^[0-9]{4}$/);
      await give(page, await liveCode(first));
      await page.getByRole("dialog", { name: "VALID" }).waitFor();
      await page.getByText(`It holds the digits ${first}.`).waitFor();
      await page.getByRole("button", { name: "Next card" }).click();
      for (const text of [await liveCode(first), await liveCode("")]) {
        const wanted = await digits.innerText();
        expect(wanted).not.toBe(first);
        await give(page, text);
        await page.getByText("[BadDeviceSignature]").waitFor();
        await page.getByText(`does not hold the digits ${wanted}`).waitFor();
        await page.getByRole("button", { name: "Next card" }).click();
      }
      // A printed code cannot hold them.
      await give(page, STATIC);
      await page.getByText("[StaticCode]").waitFor();
      await page.getByRole("button", { name: "Next card" }).click();
      await page.getByRole("button", { name: "Ask no more" }).click();
      await give(page, STATIC);
      await page.getByRole("dialog", { name: "VALID" }).waitFor();
    },
    SLOW,
  );
});

describe("light and nearness", () => {
  it(
    "are offered where the camera has them, and set",
    async () => {
      const path = join(site.folder, "nothing.y4m");
      writeVideo(path, [frameOf([], { modulePixels: 1 })]);
      const script = `
        window.wanted = [];
        MediaStreamTrack.prototype.getCapabilities = () => ({ torch: true, zoom: { min: 1, max: 4, step: 0.5 } });
        MediaStreamTrack.prototype.applyConstraints = async ({ advanced }) => { window.wanted.push(...advanced); };`;
      const page = await site.scanner({ video: path, script });
      expect(await page.getByRole("button", { name: "Light" }).count()).toBe(0);
      await page.getByRole("button", { name: "Start the camera" }).click();
      const light = page.getByRole("button", { name: "Light" });
      await light.click();
      await page.locator("button[aria-pressed=true]").waitFor();
      await light.click();
      await page.locator("button[aria-pressed=false]").waitFor();
      await page.getByLabel("Nearer").fill("2.5");
      const wanted = await page.evaluate(() => (window as unknown as { wanted: unknown[] }).wanted);
      expect(wanted).toEqual([{ torch: true }, { torch: false }, { zoom: 2.5 }]);
    },
    SLOW,
  );
});
