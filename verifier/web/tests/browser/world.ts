/** Chromium with a fake camera, the page's server, and one that publishes a bundle. */

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium, type BrowserContext, type Page } from "playwright-core";

import { publicJwkOf } from "../../src/check/jws.ts";
import { keyOf, readBundle, readVector } from "../vector_files.ts";

const ROOT = join(import.meta.dirname, "../../../..");
export const PYTHON = process.env["ESC_PYTHON"] ?? join(ROOT, ".venv/bin/python");
export const CHROMIUM = process.env["ESC_CHROMIUM"] ?? "/usr/bin/chromium";
export const NOW = 1_800_000_000; // of the vectors
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

// `python -m verifier web`, until whoever began it is gone: then its input ends, however that came.
const UNTIL_LEFT = `
import os, sys, threading
from verifier.__main__ import main
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
sys.exit(main(["web", "--port", "0"]))`;

/** The trust anchor of the vectors, as a provider is given it. */
export const ANCHOR = JSON.stringify(publicJwkOf(keyOf("trust")));

/** `python -m verifier web` over what was built. */
export class PageServer {
  readonly address: string;
  readonly #process: ChildProcess;

  private constructor(address: string, process: ChildProcess) {
    this.address = address;
    this.#process = process;
  }

  static async start(): Promise<PageServer> {
    const process = spawn(PYTHON, ["-c", UNTIL_LEFT], { cwd: ROOT });
    let said = "";
    process.stderr.on("data", (data: Buffer) => (said += data.toString()));
    return new Promise((resolve, reject) => {
      process.stdout.once("data", (data: Buffer) => {
        resolve(new PageServer(data.toString().trim(), process));
      });
      process.once("exit", () => {
        reject(new Error(`the page's server ended: ${said}`));
      });
    });
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.kill("SIGTERM");
    await ended;
  }
}

/** Publishes a bundle as an issuer does: for pages of any origin, with an ETag. */
export class BundlePublisher {
  readonly address: string;
  readonly answers: number[] = [];
  bundle = "usual.escbundle"; // of the vectors, or of `folder`
  folder: string | null = null;
  changes: string | null = null; // a vector of changes
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    const { port } = server.address() as AddressInfo;
    this.address = `http://127.0.0.1:${port}/bundle`;
  }

  static async start(): Promise<BundlePublisher> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const publisher = new BundlePublisher(server);
    server.on("request", (request, response) => {
      if (request.url?.endsWith("/changes") === true) {
        const found = publisher.changes === null ? null : readVector(publisher.changes).payload;
        response.writeHead(found === null ? 404 : 200, { "access-control-allow-origin": "*" });
        response.end(Buffer.from(found ?? "", "base64"));
        return;
      }
      const etag = `"${publisher.bundle}"`;
      const status = request.headers["if-none-match"] === etag ? 304 : 200;
      publisher.answers.push(request.method === "GET" ? status : 405);
      const headers = { "access-control-allow-origin": "*", etag, "cache-control": "max-age=60" };
      response.writeHead(status, headers).end(status === 200 ? publisher.#content() : undefined);
    });
    return publisher;
  }

  #content(): Uint8Array {
    return this.folder === null ? readBundle(this.bundle) : readFileSync(join(this.folder, this.bundle));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/**
 * Writes another trust list of so many institutions: europe.escbundle, anchor.json, code.txt. Where it
 * names an address also later.escbundle, in which the card of the code is revoked.
 */
export function writeOtherList(folder: string, count: number, address?: string): void {
  const script = join(ROOT, "tests/verifier/making_europe.py");
  const options = { cwd: ROOT, encoding: "utf8", env: { ...process.env, PYTHONPATH: ROOT } } as const;
  const made = spawnSync(
    PYTHON,
    [script, folder, String(NOW), String(count), ...(address === undefined ? [] : [address])],
    options,
  );
  if (made.status !== 0) throw new Error(made.stderr);
}

/** A browser with an empty profile, as one on a provider's device. */
export class Device {
  readonly context: BrowserContext;
  readonly #folder: string;
  readonly requests: string[] = [];

  private constructor(context: BrowserContext, folder: string) {
    this.context = context;
    this.#folder = folder;
    context.setDefaultTimeout(PATIENCE);
    context.on("request", (request) => this.requests.push(request.url()));
  }

  static async open(options: { video?: string; now?: number; locale?: string } = {}): Promise<Device> {
    const folder = mkdtempSync(join(tmpdir(), "esc-scanner-"));
    const camera =
      options.video === undefined
        ? []
        : [
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            `--use-file-for-fake-video-capture=${options.video}`,
          ];
    const context = await chromium.launchPersistentContext(folder, {
      executablePath: CHROMIUM,
      headless: true,
      args: [...FLAGS, ...camera],
      locale: options.locale ?? "en-GB",
      timezoneId: "Europe/Riga",
      viewport: { width: 390, height: 800 },
      acceptDownloads: true,
    });
    const device = new Device(context, folder);
    await device.setTime(options.now ?? NOW);
    return device;
  }

  /** Sets the device's clock, which stands still: a slow machine makes no code stale. */
  async setTime(now: number): Promise<void> {
    const script = `Date.now = () => ${now * 1000}`;
    await this.context.addInitScript(script);
    for (const page of this.context.pages()) await page.evaluate(script);
  }

  get page(): Page {
    const [page] = this.context.pages();
    if (page === undefined) throw new Error("no page is open");
    return page;
  }

  /** Opens the scanner and gives it what a provider gives it once. */
  async setUp(address: string, bundle: string): Promise<Page> {
    await this.visit(address);
    await this.page.getByLabel("Address of the bundle").fill(bundle);
    await this.page.getByLabel("Public key of the trust list").fill(ANCHOR);
    await this.page.getByRole("button", { name: "Save and fetch" }).click();
    await this.page.getByText("Stored: trust list").waitFor();
    await this.page.getByRole("button", { name: "Close" }).click();
    return this.page;
  }

  async visit(address: string): Promise<Page> {
    await this.page.goto(address);
    await this.page.locator("html[data-ready]").waitFor();
    await this.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    return this.page;
  }

  async close(): Promise<void> {
    await this.context.close();
    // Chromium's last processes may still be writing.
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 100, retryDelay: 100 });
  }
}

/** Whether the modules of a QR code are dark, row by row, drawn by another program than ours. */
export function qrModules(text: string): boolean[][] {
  const script = `
import json, qrcode, sys
code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_L, border=4)
code.add_data(sys.argv[1], optimize=20)
print(json.dumps(code.get_matrix()))`;
  const done = spawnSync(PYTHON, ["-c", script, text], { encoding: "utf8" });
  if (done.status !== 0) throw new Error(done.stderr);
  return JSON.parse(done.stdout) as boolean[][];
}

/** The text of the code in a picture (PNG), read by another program than ours. */
export function readCode(picture: Buffer): string {
  const script = `
import io, sys, zxingcpp
from PIL import Image
found = zxingcpp.read_barcodes(Image.open(io.BytesIO(sys.stdin.buffer.read())))
print(found[0].text)`;
  const done = spawnSync(PYTHON, ["-c", script], { input: picture });
  if (done.status !== 0) throw new Error(done.stderr.toString());
  return done.stdout.toString().trim();
}
