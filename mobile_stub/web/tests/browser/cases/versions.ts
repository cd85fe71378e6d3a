/** A new version of the wallet: one that comes while a card is shown, and one that waited for the next start. */

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";

import { goToNothing, shownCode, takeCard } from "../devices.ts";
import { serveFolder } from "../static_host.ts";
import type { Here } from "../world.ts";

const BUILT = join(import.meta.dirname, "../../../dist");
const COMES = "A new version of this wallet is here.";

/** A copy of the wallet, of which another version can be published. */
async function copyOfWallet(): Promise<{
  readonly address: string;
  readonly publish: (mark: string) => void;
  readonly stop: () => Promise<void>;
}> {
  const folder = mkdtempSync(join(tmpdir(), "esc-version-"));
  cpSync(BUILT, folder, { recursive: true });
  const { address, stop } = await serveFolder(folder);
  const file = join(folder, "sw.js");
  return {
    address,
    publish: (mark) => {
      writeFileSync(file, readFileSync(file, "utf8").replace(/VERSION=".{4}/, `VERSION="${mark}`));
    },
    stop: async () => {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function update(page: Page): Promise<void> {
  await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.update());
}

/** A start that is quick, however slow the machine, and for which nobody else has the wallet open. */
async function startAlone(page: Page, address: string): Promise<void> {
  await page.addInitScript(
    "{ const now = performance.now.bind(performance); performance.now = () => now() / 1000; }",
  );
  const watcher = await page.context().newPage();
  await page.goto("about:blank");
  await goToNothing(watcher, address);
  await expect.poll(() => watcher.evaluate(async () => (await navigator.locks.query()).held)).toEqual([]);
  await watcher.close();
  await page.goto(address);
}

/** The versions whose files are kept, by their first letters. */
async function versionsKept(page: Page): Promise<string[]> {
  const names = await page.evaluate(() => caches.keys());
  return names.map((name) => name.replace("esc-wallet-", "").slice(0, 4));
}

export function versions(here: Here): void {
  describe("a new version", () => {
    it("waits while the card is shown, is taken when the student wants it, and keeps the card", async () => {
      const { open, services } = parts(here);
      const copy = await copyOfWallet();
      const phone = await open();
      const page = await takeCard(phone, services, services.card(0, 1), copy.address);
      await phone.installed();
      await page.evaluate(() => ((window as { isOld?: boolean }).isOld = true));
      copy.publish("next");
      await update(page);
      await page.getByText(COMES).waitFor();
      // Nothing has happened to who is at a counter.
      await shownCode(page);
      expect(await page.evaluate(() => (window as { isOld?: boolean }).isOld)).toBe(true);
      await page.getByRole("button", { name: "Take it" }).click();
      await page.waitForFunction(() => (window as { isOld?: boolean }).isOld !== true);
      await shownCode(page);
      expect(await page.getByText(COMES).count()).toBe(0);
      await copy.stop();
    });

    it("that waits is taken at the next start by itself, unless another tab shows a card", async () => {
      const { open, services } = parts(here);
      const copy = await copyOfWallet();
      const phone = await open();
      const page = await takeCard(phone, services, services.card(0, 2), copy.address);
      await phone.installed();
      const other = await phone.context.newPage();
      await phone.visit(copy.address, other);
      copy.publish("next");
      await update(page);
      await page.getByText(COMES).waitFor();
      await phone.visit(copy.address, other);
      await other.getByText(COMES).waitFor();
      expect(await versionsKept(page)).toHaveLength(2);
      await page.close();
      await startAlone(other, copy.address);
      await expect.poll(() => versionsKept(other).catch(() => [])).toEqual(["next"]);
      await shownCode(other);
      expect(await other.getByText(COMES).count()).toBe(0);
      await copy.stop();
    });
  });
}

function parts(here: Here): Pick<ReturnType<Here>, "open" | "services"> {
  const world = here();
  return { services: world.services, open: (options) => world.open(options) };
}
