/** Chromium as a student's phone and as a provider's device, the second looking at the first. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { correction, generate } from "lean-qr";
import { chromium, type BrowserContext, type Page } from "playwright-core";

import { HEIGHT, WIDTH, writeVideo } from "../../../../verifier/web/tests/browser/video.ts";
import type { Services, Subject } from "./deployment.ts";

const CHROMIUM = process.env["ESC_CHROMIUM"] ?? "/usr/bin/chromium";
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
  readonly locale?: string;
  readonly colorScheme?: "light" | "dark";
  readonly width?: number;
  readonly height?: number;
}

/** A browser with an empty profile. */
export class Device {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What went wrong in a page; nothing should. */
  readonly faults: string[] = [];
  readonly requests: string[] = [];
  readonly #folder: string;

  private constructor(context: BrowserContext, page: Page, folder: string) {
    [this.context, this.page, this.#folder] = [context, page, folder];
    context.on("request", (request) => this.requests.push(request.url()));
    context.on("weberror", (error) => this.faults.push(error.error().message));
    context.on("console", (message) => {
      if (/Content.Security.Policy/i.test(message.text())) this.faults.push(message.text());
    });
  }

  static async open(options: Options = {}): Promise<Device> {
    const folder = mkdtempSync(join(tmpdir(), "esc-phone-"));
    const camera =
      options.film === undefined
        ? []
        : [
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            `--use-file-for-fake-video-capture=${options.film}`,
          ];
    const context = await chromium.launchPersistentContext(folder, {
      executablePath: CHROMIUM,
      headless: true,
      args: [...FLAGS, ...camera],
      locale: options.locale ?? "en-GB",
      timezoneId: "Europe/Riga",
      viewport: { width: options.width ?? 390, height: options.height ?? 844 },
      deviceScaleFactor: 2,
      colorScheme: options.colorScheme ?? "light",
    });
    context.setDefaultTimeout(20_000);
    const [page] = context.pages();
    if (page === undefined) throw new Error("no page is open");
    return new Device(context, page, folder);
  }

  async visit(address: string): Promise<Page> {
    await this.page.goto("about:blank");
    await this.page.goto(address);
    await this.page.locator("html[data-ready]").waitFor();
    return this.page;
  }

  /** Until the page opens without its server. */
  async installed(): Promise<void> {
    await this.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  }

  async close(): Promise<void> {
    await this.context.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Opens an offer and takes its card, as a student does; ends with the card on the screen. */
export async function takeCard(device: Device, services: Services, card: Subject): Promise<void> {
  const offer = await services.offer(card.institution, card.escn);
  const page = await device.visit(services.link(offer));
  await page.locator(".tx-code").fill(offer.tx_code);
  await page.locator("form .primary").click();
  await shownCode(page);
}

/** Waits for a code on the screen. */
export async function shownCode(page: Page): Promise<void> {
  await page.locator(".code-box .code-picture path[d^=M]").waitFor();
}

/** What a camera would see of this page's code, for as long as the film is played. */
export async function filmOfCode(page: Page, path: string): Promise<void> {
  const picture = await page.locator(".code-box").screenshot();
  writeVideo(path, [await greyFrame(page, picture)]);
}

/** The picture in the middle of a grey frame of the camera's size. */
export async function greyFrame(page: Page, picture: Buffer): Promise<Uint8Array> {
  const blank = await page.context().newPage();
  const grey = await blank.evaluate(
    async ({ png, width, height }) => {
      const image = new Image();
      image.src = `data:image/png;base64,${png}`;
      await image.decode();
      const canvas = new OffscreenCanvas(width, height);
      const context = canvas.getContext("2d");
      if (context === null) throw new Error("no canvas");
      context.fillStyle = "#888";
      context.fillRect(0, 0, width, height);
      const side = height * 0.9;
      const across = (side * image.width) / image.height;
      context.drawImage(image, (width - across) / 2, (height - side) / 2, across, side);
      const { data } = context.getImageData(0, 0, width, height);
      let text = "";
      for (let i = 0; i < data.length; i += 4) text += String.fromCharCode(data[i] ?? 0);
      return btoa(text);
    },
    { png: picture.toString("base64"), width: WIDTH, height: HEIGHT },
  );
  await blank.close();
  return Buffer.from(grey, "base64");
}

/** A film of a code that was drawn by no screen. */
export function filmOf(text: string, path: string): void {
  const modules = generate(text, { minCorrectionLevel: correction.M });
  const scale = Math.floor((HEIGHT * 0.8) / (modules.size + 8));
  const side = modules.size * scale;
  const frame = new Uint8Array(WIDTH * HEIGHT).fill(235);
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      const at = (y + Math.floor((HEIGHT - side) / 2)) * WIDTH + x + Math.floor((WIDTH - side) / 2);
      if (modules.get(Math.floor(x / scale), Math.floor(y / scale))) frame[at] = 20;
    }
  }
  writeVideo(path, [frame]);
}
