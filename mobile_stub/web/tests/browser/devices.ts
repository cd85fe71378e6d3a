/** Chromium as a student's phone and as a provider's device. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  chromium,
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type Page,
} from "playwright-core";

import type { Services, Subject } from "./deployment.ts";

const EXECUTABLE = process.env["ESC_CHROMIUM"] ?? "/usr/bin/chromium";
const PATIENCE = 60_000; // milliseconds for one thing to happen, on a busy machine
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--autoplay-policy=no-user-gesture-required",
];

export interface Options {
  /** What the camera sees: a film that may be made later, before the camera is started. */
  readonly film?: string;
  /** Kept on the disk, as a student's is: only then are there notifications, and a place to install to. */
  readonly hasProfile?: boolean;
  readonly locale?: string;
  readonly userAgent?: string;
  readonly hasTouch?: boolean;
  readonly colorScheme?: "light" | "dark";
  readonly width?: number;
  readonly height?: number;
}

/** One browser for all devices that need none of their own: starting one takes longer than most tests. */
export class Browsers {
  readonly #shared: Browser;

  private constructor(shared: Browser) {
    this.#shared = shared;
  }

  static async start(): Promise<Browsers> {
    return new Browsers(await chromium.launch({ executablePath: EXECUTABLE, headless: true, args: FLAGS }));
  }

  async open(options: Options = {}): Promise<Device> {
    const { film, hasProfile = false } = options;
    if (film === undefined && !hasProfile) {
      const context = await this.#shared.newContext(contextOptions(options));
      return Device.of(context, () => context.close());
    }
    const folder = mkdtempSync(join(tmpdir(), "esc-phone-"));
    const launch = { executablePath: EXECUTABLE, headless: true, args: [...FLAGS, ...cameraFlags(film)] };
    const context = await chromium.launchPersistentContext(folder, { ...launch, ...contextOptions(options) });
    return Device.of(context, async () => {
      await context.close();
      // Chromium's last processes may still be writing.
      rmSync(folder, { recursive: true, force: true, maxRetries: 100, retryDelay: 100 });
    });
  }

  async close(): Promise<void> {
    await this.#shared.close();
  }
}

function contextOptions({ width = 390, height = 844, ...options }: Options): BrowserContextOptions {
  return {
    locale: options.locale ?? "en-GB",
    timezoneId: "Europe/Riga",
    viewport: { width, height },
    deviceScaleFactor: 2,
    hasTouch: options.hasTouch ?? false,
    colorScheme: options.colorScheme ?? "light",
    ...(options.userAgent === undefined ? {} : { userAgent: options.userAgent }),
  };
}

function cameraFlags(film: string | undefined): string[] {
  if (film === undefined) return [];
  return [
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    `--use-file-for-fake-video-capture=${film}`,
  ];
}

/** A phone or a counter's device, with nothing in it. */
export class Device {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What went wrong in a page; nothing should. */
  readonly faults: string[] = [];
  readonly requests: string[] = [];
  readonly close: () => Promise<void>;

  private constructor(context: BrowserContext, page: Page, close: () => Promise<void>) {
    [this.context, this.page, this.close] = [context, page, close];
    context.setDefaultTimeout(PATIENCE);
    context.on("request", (request) => this.requests.push(request.url()));
    context.on("weberror", (error) => this.faults.push(error.error().message));
    context.on("console", (message) => {
      if (/Content.Security.Policy/i.test(message.text())) this.faults.push(message.text());
    });
  }

  static async of(context: BrowserContext, close: () => Promise<void>): Promise<Device> {
    return new Device(context, context.pages()[0] ?? (await context.newPage()), close);
  }

  async visit(address: string, page = this.page): Promise<Page> {
    await page.goto("about:blank");
    await page.goto(address);
    await page.locator("html[data-ready]").waitFor({ state: "attached" });
    return page;
  }

  /** Until the page opens without its server. */
  async installed(): Promise<void> {
    await this.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  }
}

/** Opens an offer and takes its card, as a student does; ends with the card on the screen. */
export async function takeCard(
  device: Device,
  services: Services,
  card: Subject,
  page = services.page,
): Promise<Page> {
  const offer = await services.offer(card);
  await device.visit(services.link(offer).replace(services.page, page));
  await giveCode(device.page, offer.tx_code);
  await shownCode(device.page);
  return device.page;
}

/** Types the code that came by another way, and takes the card. */
export async function giveCode(page: Page, txCode: string): Promise<void> {
  await page.locator(".tx-code").fill(txCode);
  await page.locator("form .primary").click();
}

/** Waits for a code on the screen. */
export async function shownCode(page: Page): Promise<void> {
  await page.locator(".code-box .code-picture path[d^=M]").waitFor();
}

/** Goes to a place in the wallet, without loading it anew; it is drawn then, and asks for what it needs. */
export async function goTo(page: Page, place: string): Promise<void> {
  await page.evaluate(async (hash) => {
    const frame = (): Promise<void> => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
    if (location.hash !== hash) {
      const moved = new Promise((resolve) => {
        addEventListener("hashchange", resolve, { once: true });
      });
      location.hash = hash;
      await moved;
    }
    await frame();
    await frame();
  }, place);
}

/** Goes to an address of the wallet's, which does not begin: the service worker answers any of them with it. */
export async function goToNothing(page: Page, address: string): Promise<void> {
  await page.addInitScript("window.stop()");
  await page.goto(address, { waitUntil: "commit" });
}

/** The clocks of the device's pages stand still from now on: a slow machine makes no code stale. */
export async function stopClock(page: Page, at = Date.now()): Promise<void> {
  await setClock(page, `Date.now = () => ${at}`);
}

/** The clocks of the device's pages go so many milliseconds ahead from now on. */
export async function setAhead(page: Page, milliseconds: number): Promise<void> {
  await setClock(page, `{ const now = Date.now; Date.now = () => now() + ${milliseconds}; }`);
}

async function setClock(page: Page, script: string): Promise<void> {
  await page.context().addInitScript(script);
  for (const one of page.context().pages()) await one.evaluate(script);
}
