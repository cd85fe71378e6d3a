/** What the cases of the wallet's pages share: services, a scanner, devices that are put away again. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Program, Services } from "./deployment.ts";
import { Device, type Options } from "./devices.ts";

export const SLOW = 180_000; // milliseconds, on a busy machine
export const BUSY = 5; // times as long as on a quiet machine of two cores

export class World {
  readonly services: Services;
  readonly scanner: Program;
  readonly folder: string;
  readonly #devices: Device[] = [];

  private constructor(services: Services, scanner: Program) {
    [this.services, this.scanner] = [services, scanner];
    this.folder = mkdtempSync(join(tmpdir(), "esc-films-"));
  }

  static async begin(): Promise<World> {
    return new World(
      ...(await Promise.all([Services.start(), Program.start("verifier", "web", "--port", "0")])),
    );
  }

  async open(options?: Options): Promise<Device> {
    const device = await Device.open(options);
    this.#devices.push(device);
    return device;
  }

  /** Puts the devices away; returns what went wrong in their pages. */
  async tidy(): Promise<string[]> {
    this.services.wire.fate = () => "through";
    const devices = this.#devices.splice(0);
    for (const device of devices) await device.close();
    return devices.flatMap(({ faults }) => faults);
  }

  async end(): Promise<void> {
    await Promise.all([this.services.stop(), this.scanner.stop()]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The cases are written for a world that is there by then. */
export type Here = () => World;
