/** The scanner on a provider's device, told once where knowledge comes from, then without network. */

import type { Page } from "playwright-core";

import { readPicture } from "../python.ts";
import type { Device } from "./devices.ts";
import type { World } from "./world.ts";

export async function openScanner(world: World, film: string): Promise<Device> {
  const { told } = world.services;
  const device = await world.open({ film });
  const page = await device.visit(told.scanner);
  await page.getByLabel("Address of the bundle").fill(`${told.issuer}/bundle`);
  await page.getByLabel("Public key of the trust list").fill(JSON.stringify(told.anchor));
  await page.getByRole("button", { name: "Save and fetch" }).click();
  await page.getByText("Stored: trust list").waitFor();
  await page.getByRole("button", { name: "Close" }).click();
  await device.installed();
  await device.context.setOffline(true);
  return device;
}

/** Asks, as a library does, and returns the text of the code on the scanner's screen. */
export async function askForAnswer(scanner: Page): Promise<string> {
  await scanner.getByLabel("Service").selectOption("library");
  await scanner.getByRole("button", { name: "Ask for a presentation" }).click();
  await scanner.getByRole("dialog").getByLabel("Name of this place").fill("City library");
  await scanner.getByRole("button", { name: "Save", exact: true }).click();
  return readPicture(await scanner.locator(".qr").screenshot());
}
