/** A new version of the wallet that comes while a card is shown. */

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";

import { describe, expect, it } from "vitest";

import { shownCode } from "../devices.ts";
import { SLOW, type Here } from "../world.ts";

const BUILT = join(import.meta.dirname, "../../../dist");
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".webmanifest": "application/manifest+json",
};

export function versions(here: Here): void {
  describe("a new version", () => {
    it(
      "waits while the card is shown, is taken when the student wants it, and keeps the card",
      async () => {
        const world = here();
        const folder = mkdtempSync(join(tmpdir(), "esc-version-"));
        cpSync(BUILT, folder, { recursive: true });
        const server = createServer((request, response) => {
          const path = new URL(request.url ?? "/", "http://page").pathname;
          const file = join(folder, path === "/" ? "index.html" : path);
          response.writeHead(200, {
            "content-type": TYPES[extname(file)] ?? "",
            "cache-control": "no-cache",
          });
          response.end(readFileSync(file));
        });
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
        const card = world.services.card(0, 1);
        const offer = await world.services.offer(card.institution, card.escn);
        const phone = await world.open();
        const link = world.services.link(offer).replace(world.services.page, address);
        const page = await phone.visit(link);
        await page.locator(".tx-code").fill(offer.tx_code);
        await page.locator("form .primary").click();
        await shownCode(page);
        await phone.installed();
        await page.evaluate(() => ((window as { isOld?: boolean }).isOld = true));
        const worker = readFileSync(join(folder, "sw.js"), "utf8");
        writeFileSync(join(folder, "sw.js"), worker.replace(/VERSION=".{4}/, 'VERSION="next'));
        await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.update());
        await page.getByText("A new version of this wallet is here.").waitFor();
        // Nothing has happened to who is at a counter.
        await shownCode(page);
        expect(await page.evaluate(() => (window as { isOld?: boolean }).isOld)).toBe(true);
        await page.getByRole("button", { name: "Take it" }).click();
        await page.waitForFunction(() => (window as { isOld?: boolean }).isOld !== true);
        await shownCode(page);
        expect(await page.getByText("A new version of this wallet is here.").count()).toBe(0);
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
        rmSync(folder, { recursive: true, force: true });
      },
      SLOW,
    );
  });
}
