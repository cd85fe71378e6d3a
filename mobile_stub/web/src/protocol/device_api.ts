/**
 * The device API (docs/wallet-api.md): how the card is, and what its phone may ask for.
 *
 * A refusal here never takes a card away: what it means for the card is decided by `keeping/`.
 */

import type { Crop, DeviceOfCard, EndedAs, Passes, PassKind } from "../model.ts";
import { WalletRefusal } from "../model.ts";
import { deviceAddress } from "./addresses.ts";
import { waitOf } from "./answers.ts";
import { secondsOf, shortText } from "./card_answer.ts";
import { isArray, isObject, parseJsonObject, textOf, type Json, type JsonObject } from "./json.ts";
import { call, objectOf, type Answer, type Question } from "./network.ts";

const MAX_PICTURE_BYTES = 2 * 1024 * 1024;
const ENDED: readonly EndedAs[] = ["replaced", "by_student", "by_staff", "by_phone"];

/** What the service gave this phone to be known by. */
export interface DeviceAccess {
  readonly token: string;
  readonly cardUri: string;
}

/** The device was ended by someone who may; the card on the phone is over. */
export class DeviceEnded extends Error {
  readonly endedAs: EndedAs;

  constructor(endedAs: EndedAs) {
    super(endedAs);
    this.name = "DeviceEnded";
    this.endedAs = endedAs;
  }
}

/** How the card is; 200 or 304. */
export async function askCard(device: DeviceAccess, etag: string | null): Promise<Answer> {
  const headers: Record<string, string> = etag === null ? {} : { "If-None-Match": etag };
  const answer = await call("GET", device.cardUri, { headers: { ...headers, ...bearer(device) } });
  return answer.status === 304 ? answer : expect(answer, 200);
}

/** A question below the device's address. */
export async function askDevice(
  device: DeviceAccess,
  method: string,
  path: string,
  question: Question = {},
): Promise<Answer> {
  return askAt(device, method, deviceAddress(device.cardUri) + path, question);
}

/** A question at an address that the service named. */
export async function askAt(
  device: DeviceAccess,
  method: string,
  address: string,
  question: Question = {},
): Promise<Answer> {
  const headers = { ...question.headers, ...bearer(device) };
  return expect(await call(method, address, { ...question, headers }), 200, 202, 204);
}

/** A picture of the card: the photo with the device's token, the logo without. */
export async function fetchPicture(
  address: string,
  device: DeviceAccess | null,
): Promise<{ type: string; data: ArrayBuffer }> {
  const headers = { Accept: "image/*", ...(device === null ? {} : bearer(device)) };
  return pictureOf(expect(await call("GET", address, { headers, maxBytes: MAX_PICTURE_BYTES }), 200));
}

export function pictureOf(answer: Answer): { type: string; data: ArrayBuffer } {
  const type = (answer.headers.get("content-type") ?? "").replace(/ *;.*/, "");
  if (!/^image\/(jpeg|png|svg\+xml|webp)$/.test(type)) throw bad(answer);
  return { type, data: answer.body.buffer };
}

export function parseDevices(answer: Answer): { atOnce: number; devices: DeviceOfCard[] } {
  const body = objectOf(answer);
  const [atOnce, devices] = [body["at_once"], body["devices"]];
  if (typeof atOnce !== "number" || !isArray(devices)) throw bad(answer);
  return { atOnce, devices: devices.map((one) => deviceOf(one) ?? failed(answer)) };
}

export function parseConsentAnswer(answer: Answer): { givenAt: number | null; shares: string[] } {
  const body = objectOf(answer);
  const shares = body["shares"];
  const texts = isArray(shares) ? shares.map(shortText).filter((text) => text !== null) : [];
  return { givenAt: secondsOf(body["given_at"]), shares: texts };
}

export function photoForm(file: Blob, crop: Crop | undefined): FormData {
  const form = new FormData();
  form.append("file", file, "photo");
  for (const [name, value] of Object.entries(crop ?? {})) form.append(name, String(value));
  return form;
}

const KINDS: readonly PassKind[] = ["apple", "google"];

export function parsePasses(answer: Answer): Passes {
  const body = objectOf(answer);
  const { held } = body;
  if (!isArray(held)) throw bad(answer);
  return {
    offered: KINDS.filter((kind) => body[kind] === true),
    held: KINDS.filter((kind) => held.includes(kind)),
  };
}

export function textIn(answer: Answer, name: string): string {
  return textOf(objectOf(answer)[name]) ?? failed(answer);
}

function bearer(device: DeviceAccess): { Authorization: string } {
  return { Authorization: `Bearer ${device.token}` };
}

/** The answer when its status is one of these; else what the refusal means. */
function expect(answer: Answer, ...statuses: number[]): Answer {
  if (statuses.includes(answer.status)) return answer;
  const problem = parseJsonObject(answer.body) ?? {};
  if (answer.status === 410) throw endedOf(problem) ?? refusalOf(answer, problem);
  throw refusalOf(answer, problem);
}

function endedOf(problem: JsonObject): DeviceEnded | undefined {
  const ended = ENDED.find((one) => one === problem["ended"]);
  return ended === undefined ? undefined : new DeviceEnded(ended);
}

function refusalOf(answer: Answer, problem: JsonObject): WalletRefusal {
  const { host } = answer;
  const slug = textOf(problem["type"])?.split(/[/#:]/).at(-1) ?? "";
  if (answer.status === 401) return new WalletRefusal("device-unknown", { host });
  if (answer.status === 429) return new WalletRefusal("too-many", waitOf(answer));
  if (answer.status >= 500) return new WalletRefusal("service-away", { host });
  if (answer.status === 413 || slug === "too-many-pixels") return new WalletRefusal("image-too-large");
  if (slug.includes("picture")) return new WalletRefusal("not-an-image");
  if (slug === "card-not-active") return new WalletRefusal("card-not-active");
  if (answer.status === 404 || slug === "photos-not-taken") return new WalletRefusal("not-offered");
  return new WalletRefusal("service-refused", { host, words: shortText(problem["detail"]) ?? "" });
}

function deviceOf(value: Json): DeviceOfCard | undefined {
  if (!isObject(value)) return undefined;
  const [id, addedAt] = [textOf(value["id"]), secondsOf(value["added_at"])];
  if (id === null || addedAt === null) return undefined;
  const renewedAt = secondsOf(value["renewed_at"]);
  return { id, name: shortText(value["name"]), addedAt, renewedAt, isThis: value["this"] === true };
}

function bad(answer: Answer): WalletRefusal {
  return new WalletRefusal("bad-answer", { host: answer.host });
}

function failed(answer: Answer): never {
  throw bad(answer);
}
