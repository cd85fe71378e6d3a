/** What most tests of the page begin with: its server, a publisher, one device at a time; and what a provider does. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";

import { BundlePublisher, Device, PageServer } from "./world.ts";

export const SLOW = 600_000; // milliseconds: only what hangs ends by it

/** A device whose own time goes slowly: so what lasts seconds there is not over when a test is slow. */
export const SLOW_TIME = `{ const now = performance.now.bind(performance); performance.now = () => now() / 100; }`;

/** The programs of one file of tests; all of them end with it, whatever becomes of the tests. */
export class Site {
  server!: PageServer;
  publisher!: BundlePublisher;
  folder!: string; // for films
  #device: Device | undefined;

  get device(): Device {
    if (this.#device === undefined) throw new Error("no device is open");
    return this.#device;
  }

  /** A device that nobody set up. */
  async open(
    options: { video?: string; now?: number; locale?: string; script?: string } = {},
  ): Promise<Device> {
    await this.#device?.close();
    this.#device = await Device.open(options);
    if (options.script !== undefined) await this.#device.context.addInitScript(options.script);
    return this.#device;
  }

  /** The page on a device that is set up. */
  async scanner(
    options: { video?: string; now?: number; locale?: string; script?: string } = {},
  ): Promise<Page> {
    const device = await this.open(options);
    return device.setUp(this.server.address, this.publisher.address);
  }

  /** One more window of the device. */
  async window(): Promise<Page> {
    const page = await this.device.context.newPage();
    await page.goto(this.server.address);
    await page.locator("html[data-ready]").waitFor();
    return page;
  }

  /** One more window of a scanner that is set up, which has asked what is new, as each does when it opens. */
  async secondWindow(): Promise<Page> {
    const asked = this.publisher.answers.length;
    const page = await this.window();
    await expect.poll(() => this.publisher.answers.length).toBe(asked + 1);
    return page;
  }

  async start(): Promise<void> {
    this.folder = mkdtempSync(join(tmpdir(), "esc-films-"));
    [this.server, this.publisher] = await Promise.all([PageServer.start(), BundlePublisher.start()]);
  }

  async closeDevice(): Promise<void> {
    const device = this.#device;
    this.#device = undefined;
    this.publisher.bundle = "usual.escbundle";
    await device?.close();
  }

  async stop(): Promise<void> {
    await Promise.allSettled([this.server.stop(), this.publisher.stop()]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A site for the tests of a file. */
export function useSite(): Site {
  const site = new Site();
  beforeAll(() => site.start());
  afterEach(() => site.closeDevice());
  afterAll(() => site.stop());
  return site;
}

/** As a scanner that types. */
export async function paste(page: Page, text: string): Promise<Locator> {
  await page.getByLabel("Code, typed by a scanner or pasted").fill(text);
  await page.getByRole("button", { name: "Check", exact: true }).click();
  return page.locator("dialog.answer[open]");
}

/** As a scanner that acts as a keyboard: its keys are a millisecond apart, however slow this machine is. */
export async function typeFast(page: Page, text: string): Promise<void> {
  const keyboard = await page.context().newCDPSession(page);
  const start = Date.now();
  const keys = Array.from(text, (key) => ({ key, text: key }));
  const enter = { key: "Enter", code: "Enter", text: "\r", windowsVirtualKeyCode: 13 };
  await Promise.all(
    [...keys, enter].map((key, at) =>
      keyboard.send("Input.dispatchKeyEvent", { type: "keyDown", timestamp: (start + at) / 1000, ...key }),
    ),
  );
  await keyboard.detach();
}

export async function next(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Next card" }).click();
}

export async function fetchNow(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("button", { name: "Fetch now" }).click();
}
