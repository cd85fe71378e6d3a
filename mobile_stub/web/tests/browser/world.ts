/** What the tests of a file share: services, a browser, devices that are put away after each test. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, expect } from "vitest";

import { Services } from "./deployment.ts";
import { Browsers, type Device, type Options } from "./devices.ts";

export class World {
  readonly services: Services;
  /** For films. */
  readonly folder = mkdtempSync(join(tmpdir(), "esc-films-"));
  readonly #browsers: Browsers;
  readonly #devices: Device[] = [];

  private constructor(services: Services, browsers: Browsers) {
    [this.services, this.#browsers] = [services, browsers];
  }

  static async begin(): Promise<World> {
    return new World(await Services.reach(), await Browsers.start());
  }

  async open(options?: Options): Promise<Device> {
    const device = await this.#browsers.open(options);
    this.#devices.push(device);
    return device;
  }

  /** Puts the devices away; returns what went wrong in their pages. */
  async tidy(): Promise<string[]> {
    this.services.wire.cut(null);
    const devices = this.#devices.splice(0);
    await Promise.all(devices.map((device) => device.close()));
    return devices.flatMap(({ faults }) => faults);
  }

  async end(): Promise<void> {
    await Promise.all([this.#browsers.close(), this.services.stop()]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The world of this file's tests, there from the first test on. */
export type Here = () => World;

export function useWorld(): Here {
  let world: World | undefined;
  beforeAll(async () => {
    world = await World.begin();
  });
  afterEach(async () => {
    expect(await world?.tidy()).toEqual([]);
  });
  afterAll(async () => {
    await world?.end();
  });
  return () => {
    if (world === undefined) throw new Error("the services were not reached");
    return world;
  };
}
