/** A download that is cut: the page goes on where it was, also after it was closed, and mixes nothing. */

import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync, gzipSync } from "node:zlib";

import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";

import { readBundle, readVector } from "../vector_files.ts";
import { SLOW } from "./site.ts";
import { Device, PageServer } from "./world.ts";

const STATIC = readVector("esc_qr/valid_static_status.txt").payload;
const EXPOSED = "etag, content-range, repr-digest";
// The page's patience with a server that sends nothing: a busy machine would use it up.
const PATIENT = `{
  const later = setTimeout;
  window.setTimeout = (work, wait, ...rest) => later(work, wait === 20_000 ? 2_000_000 : wait, ...rest);
}`;

/** A bundle of the vectors with a large member that nobody reads. */
function largeBundle(name: string): Buffer {
  const content = JSON.parse(gunzipSync(readBundle(name)).toString()) as object;
  return gzipSync(JSON.stringify({ ...content, filling: randomBytes(300_000).toString("base64") }));
}

/** Answers with parts of a bundle, and cuts the connection where it is told to. */
class CuttingPublisher {
  body = largeBundle("usual.escbundle");
  exposed = EXPOSED;
  digest: string | null = null; // another than the right one
  hasParts = true;
  cuts: (number | null)[] = []; // after so many bytes of each next body; null: not at all
  stalls = false; // instead of cutting
  /** How much of a download the page has stored: what it did not read yet it loses when it is cut. */
  stored: () => Promise<number> = () => Promise.resolve(Infinity);
  readonly ranges: (string | undefined)[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<CuttingPublisher> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const publisher = new CuttingPublisher(server);
    server.on("request", (request, response) => {
      publisher.#answer(request, response);
    });
    return publisher;
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/bundle`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (request.url !== "/bundle" || request.method !== "GET") {
      response.writeHead(404, { "access-control-allow-origin": "*" }).end();
      return;
    }
    this.ranges.push(request.headers.range);
    const cut = this.cuts.shift() ?? null;
    if (cut === 0) {
      request.socket.destroy(); // no answer at all
      return;
    }
    const sha256 = createHash("sha256").update(this.body).digest("base64");
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? NaN);
    const isPart = this.hasParts && from < this.body.length;
    const body = isPart ? this.body.subarray(from) : this.body;
    const range = `bytes ${from}-${this.body.length - 1}/${this.body.length}`;
    response.writeHead(isPart ? 206 : 200, {
      "access-control-allow-origin": "*",
      "access-control-expose-headers": this.exposed,
      etag: `"${sha256}"`,
      "repr-digest": `sha-256=:${this.digest ?? sha256}:`,
      "content-length": body.length,
      "cache-control": "no-store",
      ...(isPart ? { "content-range": range } : {}),
    });
    if (cut === null) response.end(body);
    else
      response.write(body.subarray(0, cut), () => {
        if (!this.stalls) void this.#cut(request, isPart ? from : 0);
      });
  }

  async #cut(request: IncomingMessage, before: number): Promise<void> {
    await expect.poll(this.stored).toBeGreaterThan(before);
    request.socket.destroy();
  }
}

let server: PageServer;
let publisher: CuttingPublisher;
let device: Device;
let page: Page;

beforeAll(async () => {
  [server, publisher, device] = await Promise.all([
    PageServer.start(),
    CuttingPublisher.start(),
    Device.open(),
  ]);
  await device.context.addInitScript(PATIENT);
  page = await device.setUp(server.address, publisher.address);
}, SLOW);
afterAll(async () => {
  await Promise.allSettled([device.close(), server.stop(), publisher.stop()]);
});
beforeEach(() => {
  Object.assign(publisher, { exposed: EXPOSED, digest: null, hasParts: true, cuts: [], stalls: false });
  publisher.stored = stored;
  publisher.body = largeBundle("usual.escbundle");
  publisher.ranges.length = 0;
});

/** Fetches, and waits for what is said of it. */
async function fetchNow(said: string): Promise<void> {
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("button", { name: "Fetch now" }).click();
  await page.getByText(said).waitFor();
  await page.getByRole("button", { name: "Close" }).click();
}

async function decides(): Promise<void> {
  await page.getByLabel("Code, typed by a scanner or pasted").fill(STATIC);
  await page.getByRole("button", { name: "Check", exact: true }).click();
  await page.getByRole("dialog", { name: "VALID" }).waitFor();
  await page.getByRole("button", { name: "Next card" }).click();
}

/** So many bytes of a download that was not finished. */
function stored(): Promise<number> {
  return page.evaluate(async () => {
    const opening = indexedDB.open("esc-verifier", 1);
    await new Promise((resolve) => (opening.onsuccess = resolve));
    const store = opening.result.transaction("values").objectStore("values");
    const reading = store.getAll(IDBKeyRange.bound("part-knowledge/", "part-knowledge/~"));
    await new Promise((resolve) => (reading.onsuccess = resolve));
    opening.result.close();
    return (reading.result as Uint8Array[]).reduce((sum, { length }) => sum + length, 0);
  });
}

/** From which byte on each request asked; NaN: for all. */
function asked(): number[] {
  return publisher.ranges.map((range) => Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? NaN));
}

it(
  "it goes on from what came, and asks for nothing twice",
  async () => {
    publisher.cuts = [150_000, 100_000];
    await fetchNow("Stored: trust list");
    const [first, second = 0, third = 0] = asked();
    expect(first).toBeNaN();
    expect(second).toBeGreaterThan(0);
    expect(third).toBeGreaterThan(second);
    expect(publisher.ranges).toHaveLength(3);
    await decides();
  },
  SLOW,
);

it(
  "a cut that brings nothing is said, and what was known goes on to decide",
  async () => {
    publisher.cuts = [150_000, 0, 0, 0, 0];
    await fetchNow("No answer from the server.");
    publisher.cuts = [];
    await decides();
    await fetchNow("Stored: trust list");
    expect(asked().at(-1)).toBeGreaterThan(0);
  },
  SLOW,
);

it(
  "two versions are never mixed",
  async () => {
    publisher.cuts = [150_000, 0, 0, 0, 0];
    await fetchNow("No answer from the server.");
    publisher.cuts = [];
    publisher.body = largeBundle("usual.escbundle"); // of other bytes
    publisher.ranges.length = 0;
    await fetchNow("Stored: trust list");
    const [part, whole] = asked();
    expect(part).toBeGreaterThan(0);
    expect(whole).toBeNaN();
  },
  SLOW,
);

it(
  "what is not what the server says that it is is not taken, cut or whole",
  async () => {
    publisher.digest = createHash("sha256").update("x").digest("base64");
    await fetchNow("What came is not what the server says that it is.");
    publisher.cuts = [150_000];
    await fetchNow("What came is not what the server says that it is.");
    publisher.digest = null;
    publisher.ranges.length = 0;
    await fetchNow("Stored: trust list");
    expect(asked()).toEqual([NaN]); // nothing of it was kept
  },
  SLOW,
);

it(
  "where the page is not told the version, or there are no parts, all is fetched again",
  async () => {
    publisher.exposed = "etag";
    publisher.stored = () => Promise.resolve(Infinity); // nothing is: it is cut at once
    publisher.cuts = [150_000];
    await fetchNow("No answer from the server.");
    publisher.stored = stored;
    publisher.exposed = EXPOSED;
    publisher.hasParts = false;
    publisher.cuts = [150_000];
    await fetchNow("Stored: trust list");
    expect(asked()[1]).toBeNaN();
    expect(asked()[2]).toBeGreaterThan(0);
  },
  SLOW,
);

it(
  "it goes on after the page was closed while it loaded",
  async () => {
    publisher.cuts = [250_000];
    publisher.stalls = true;
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByRole("button", { name: "Fetch now" }).click();
    await expect.poll(stored).toBeGreaterThan(0);
    const next = await device.context.newPage();
    await page.close();
    page = next;
    // Until the closed page has let go of its download. The service worker answers with the page
    // whatever is gone to: the one that watches must not begin.
    const watcher = await device.context.newPage();
    await watcher.addInitScript("window.stop()");
    await watcher.goto(server.address, { waitUntil: "commit" });
    await expect.poll(() => watcher.evaluate(async () => (await navigator.locks.query()).held)).toEqual([]);
    await watcher.close();
    await page.goto(server.address);
    await page.locator("html[data-ready]").waitFor();
    await expect.poll(() => asked().length).toBe(2);
    expect(asked()[1]).toBeGreaterThanOrEqual(65_536);
    await decides();
  },
  SLOW,
);
