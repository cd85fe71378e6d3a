/** What a provider sets up on the scanner, in Chromium: knowledge, its key, the rules of a service. */

import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { readVector } from "../vector_files.ts";
import { next, paste, SLOW, useSite } from "./site.ts";
import { ANCHOR } from "./world.ts";

const STATIC = readVector("esc_qr/valid_static_status.txt").payload;

const site = useSite();

describe("knowledge", () => {
  it(
    "is asked for with its ETag, and a newer bundle is taken",
    async () => {
      const page = await site.scanner();
      await page.getByRole("button", { name: "Settings" }).click();
      await page.getByRole("button", { name: "Fetch now" }).click();
      await page.getByText("Nothing new since the last fetch.").waitFor();
      expect(site.publisher.answers).toContain(304);
      expect(site.publisher.answers).not.toContain(405);
      site.publisher.bundle = "later.escbundle";
      await page.getByRole("button", { name: "Fetch now" }).click();
      await page.getByText("Stored: trust list").waitFor();
    },
    SLOW,
  );

  it(
    "of a stranger is refused, and of another key than P-256 not taken for a key",
    async () => {
      const device = await site.open();
      const page = await device.visit(site.server.address);
      await page.getByLabel("Address of the bundle").fill(site.publisher.address);
      const key = page.getByLabel("Public key of the trust list");
      await key.fill('{"kty":"OKP"}');
      await page.getByText("This is not a JWK").waitFor();
      await page.getByRole("button", { name: "Save and fetch" }).click();
      await page.locator(".message", { hasText: "This is not a JWK" }).waitFor();
      expect(await page.getByLabel("Address of the bundle").inputValue()).toBe(site.publisher.address);
      const { x, y } = {
        x: "1sSg7j9SdbiKq68Xe-3RtkB-wxF2wUbYagJ_i5KCJMg",
        y: "ig6P7c4ebWRHxY0-rOZu2ooETL8w-DJMv1fsyzre2n0",
      };
      await key.fill(JSON.stringify({ kty: "EC", crv: "P-256", x, y }));
      await page.getByText("zZRgTreIj3M7QFmhd4FV_5tMEati4IOZzsK05T3n19Y").waitFor();
      await page.getByRole("button", { name: "Save and fetch" }).click();
      await page.getByText("[DocumentUntrusted]").waitFor();
    },
    SLOW,
  );

  it(
    "can come from a stick, and all can be forgotten",
    async () => {
      const device = await site.open();
      const page = await device.visit(site.server.address);
      await page.getByLabel("Public key of the trust list").fill(ANCHOR);
      await page.getByRole("button", { name: "Save and fetch" }).click();
      const bundle = join(import.meta.dirname, "../../../../tests/vectors/bundles/usual.escbundle");
      await page.getByLabel("Bundle from a file").setInputFiles(bundle);
      await page.getByText("Stored: trust list").waitFor();
      await page.getByRole("button", { name: "Forget everything" }).click();
      await page.getByText("Press again").waitFor();
      await page.getByRole("button", { name: "Forget everything" }).click();
      await page.getByLabel("Public key of the trust list").waitFor();
      expect(await page.getByText("Nothing is known here yet").count()).toBe(1);
    },
    SLOW,
  );
});

describe("a service", () => {
  it(
    "that wants live codes refuses a static one, and says a fault of its own rules with the line",
    async () => {
      const page = await site.scanner();
      await page.getByLabel("Service").selectOption("library");
      await paste(page, STATIC);
      await page.getByText("[StaticCode]").waitFor();
      await next(page);
      await page.getByRole("button", { name: "Settings" }).click();
      const rules = (text: string) => ({
        name: "rules.toml",
        mimeType: "text/plain",
        buffer: Buffer.from(text),
      });
      await page
        .getByLabel("Own rules (a file)")
        .setInputFiles(rules('rules = 1\nservice = "Bus"\nlive = true\n'));
      await page.getByText("line 3: live: there is no such rule").waitFor();
      await page
        .getByLabel("Own rules (a file)")
        .setInputFiles(rules('rules = 1\nservice = "Bus"\ncountries = ["EE"]\n'));
      await page.getByText("The rules are stored: Bus").waitFor();
      await page.getByRole("button", { name: "Close" }).click();
      await paste(page, STATIC);
      await page.getByText("[CountryNotAccepted]").waitFor();
    },
    SLOW,
  );
});
