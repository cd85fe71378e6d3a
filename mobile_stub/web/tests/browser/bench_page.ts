/** The wallet without its screens, in a tab: tests call it by name. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, beforeEach } from "vitest";

import type { WalletCard } from "../../src/model.ts";
import type { Bench, Outcome } from "./bench.ts";
import type { Offer, Services } from "./deployment.ts";
import type { Device } from "./devices.ts";
import { serveFolder, type StaticHost } from "./static_host.ts";
import { useWorld } from "./world.ts";

/** For each test a phone with nothing in it and a tab of it. */
export interface OnePhone {
  readonly services: Services;
  readonly phone: Device;
  readonly tab: Tab;
  /** Another tab of it, or of another phone. */
  readonly openTab: (phone?: Device) => Promise<Tab>;
  readonly openPhone: () => Promise<Device>;
}

export function useOnePhone(): () => OnePhone {
  const here = useWorld();
  const folder = mkdtempSync(join(tmpdir(), "esc-bench-"));
  let host: StaticHost | undefined;
  let one: OnePhone | undefined;
  beforeAll(async () => {
    await buildBench(folder);
    host = await serveFolder(folder);
  });
  beforeEach(async () => {
    const world = here();
    const phone = await world.open();
    const openTab = async (device: Device = phone): Promise<Tab> => {
      const page = device.page.url() === "about:blank" ? device.page : await device.context.newPage();
      return new Tab(await device.visit(`${host?.address ?? ""}/tests/browser/bench.html`, page));
    };
    const { services } = world;
    one = { services, phone, tab: await openTab(), openTab, openPhone: () => world.open() };
  });
  afterAll(async () => {
    await host?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return () => {
    if (one === undefined) throw new Error("there is no phone");
    return one;
  };
}

async function buildBench(folder: string): Promise<void> {
  const root = join(import.meta.dirname, "../..");
  await build({
    root,
    configFile: join(root, "vite.config.ts"),
    publicDir: false,
    logLevel: "error",
    build: {
      outDir: folder,
      emptyOutDir: true,
      minify: false,
      rolldownOptions: { input: join(import.meta.dirname, "bench.html") },
    },
  });
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
  async take(offer: Offer): Promise<WalletCard> {
    const { id } = await this.get<{ id: string }>("beginEnrolment", offer.credential_offer_uri);
    return this.get<WalletCard>("goOn", id, offer.tx_code);
  }
}
