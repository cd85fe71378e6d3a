/** Chromium with an empty profile, and the wallet without its screens in it. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium, type BrowserContext, type Page } from "playwright-core";
import { createServer, type ViteDevServer } from "vite";

import type { WalletCard } from "../../src/model.ts";
import type { Bench, Outcome } from "./bench.ts";

export const CHROMIUM = process.env["ESC_CHROMIUM"] ?? "/usr/bin/chromium";
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Serves the sources to the browser as they are. */
export async function serveSources(): Promise<ViteDevServer> {
  const server = await createServer({
    root: join(import.meta.dirname, "../.."),
    configFile: join(import.meta.dirname, "../../vite.config.ts"),
    logLevel: "error",
    server: { host: "127.0.0.1", port: 0, hmr: false, watch: null },
    optimizeDeps: { include: ["cborg", "idb", "lean-qr"], noDiscovery: true },
    cacheDir: join(tmpdir(), `esc-vite-${process.pid}`),
  });
  return server.listen();
}

export class Phone {
  readonly context: BrowserContext;
  readonly #address: string;
  readonly #folder: string;

  private constructor(context: BrowserContext, address: string, folder: string) {
    this.context = context;
    this.#address = address;
    this.#folder = folder;
  }

  static async open(sources: ViteDevServer): Promise<Phone> {
    const folder = mkdtempSync(join(tmpdir(), "esc-wallet-"));
    const options = { executablePath: CHROMIUM, headless: true, args: FLAGS };
    const context = await chromium.launchPersistentContext(folder, options);
    const address = sources.resolvedUrls?.local[0] ?? "";
    return new Phone(context, `${address}tests/browser/bench.html`, folder);
  }

  /** A tab with the wallet. */
  async tab(): Promise<Tab> {
    const page = await this.context.newPage();
    await page.goto(this.#address);
    await page.locator("html[data-ready]").waitFor({ state: "attached" });
    return new Tab(page);
  }

  async close(): Promise<void> {
    await this.context.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export class Tab {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** What the wallet answers, or its refusal. */
  async ask(name: string, ...words: unknown[]): Promise<Outcome> {
    return this.page.evaluate(
      ([name, words]) => (globalThis as unknown as { bench: Bench }).bench.ask(name as never, ...words),
      [name, words] as const,
    );
  }

  /** The value; a refusal is a failure of the test. */
  async get<Value>(name: string, ...words: unknown[]): Promise<Value> {
    const outcome = await this.ask(name, ...words);
    if ("refusal" in outcome)
      throw new Error(`${name}: ${outcome.refusal} ${JSON.stringify(outcome.values)}`);
    return outcome.value as Value;
  }

  /** The refusal's name; a value is a failure of the test. */
  async refusal(name: string, ...words: unknown[]): Promise<string> {
    const outcome = await this.ask(name, ...words);
    if ("refusal" in outcome) return outcome.refusal;
    throw new Error(`${name} was not refused`);
  }

  async card(): Promise<WalletCard> {
    const [card] = await this.get<WalletCard[]>("cards");
    if (card === undefined) throw new Error("no card");
    return card;
  }

  /** Sets the clock of this page, which goes on from there. */
  async setClockAhead(seconds: number): Promise<void> {
    await this.page.evaluate((ahead) => {
      const real = Date.now;
      Date.now = () => real() + ahead * 1000;
    }, seconds);
  }

  /** Takes the card of an offer. */
  async take(offer: { credential_offer_uri: string; tx_code: string }): Promise<WalletCard> {
    const { id } = await this.get<{ id: string }>("beginEnrolment", offer.credential_offer_uri);
    return this.get<WalletCard>("goOn", id, offer.tx_code);
  }
}
