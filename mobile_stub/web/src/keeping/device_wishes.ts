/** What a student may ask of the service about a card and its phones, beyond how the card is. */

import { fromBase64url } from "../codes/base64url.ts";
import { WalletRefusal, type Crop, type DeviceOfCard, type Passes, type PassKind } from "../model.ts";
import {
  askDevice,
  DeviceEnded,
  parseConsentAnswer,
  parseDevices,
  parsePasses,
  photoForm,
  pictureOf,
  textIn,
} from "../protocol/device_api.ts";
import type { JsonObject } from "../protocol/json.ts";
import type { Answer, Question } from "../protocol/network.ts";
import type { Database } from "../store/database.ts";
import type { CardRecord } from "../store/records.ts";
import { proofOf } from "./proving.ts";

export class DeviceWishes {
  readonly #database: Database;
  readonly #now: () => number;

  constructor(database: Database, now: () => number) {
    this.#database = database;
    this.#now = now;
  }

  async devices(card: CardRecord): Promise<{ atOnce: number; devices: DeviceOfCard[] }> {
    return parseDevices(await ask(card, "GET", "/devices"));
  }

  async endDevice(card: CardRecord, deviceId: string): Promise<void> {
    await ask(card, "DELETE", `/devices/${encodeURIComponent(deviceId)}`);
  }

  async nameDevice(card: CardRecord, name: string): Promise<void> {
    await ask(card, "PUT", "", { json: { name } });
  }

  async consent(card: CardRecord): Promise<{ givenAt: number | null; shares: string[] }> {
    return parseConsentAnswer(await ask(card, "GET", "/consent"));
  }

  async setConsent(card: CardRecord, isGiven: boolean): Promise<void> {
    await ask(card, isGiven ? "PUT" : "DELETE", "/consent");
  }

  async previewPhoto(card: CardRecord, file: Blob, crop: Crop | undefined): Promise<Blob> {
    const answer = await ask(card, "POST", "/photo/preview", { parts: photoForm(file, crop) });
    const { data, type } = pictureOf(answer);
    return new Blob([data], { type });
  }

  async sendPhoto(card: CardRecord, file: Blob, crop: Crop | undefined): Promise<void> {
    await ask(card, "POST", "/photo", { parts: photoForm(file, crop) });
  }

  async takeBackPhoto(card: CardRecord): Promise<void> {
    await ask(card, "DELETE", "/photo");
  }

  async passes(card: CardRecord): Promise<Passes> {
    return parsePasses(await ask(card, "GET", "/passes"));
  }

  async takeBackPass(card: CardRecord, kind: PassKind): Promise<void> {
    await ask(card, "DELETE", `/passes/${kind}`);
  }

  async applePass(card: CardRecord): Promise<Blob> {
    const json = await this.#proofs(card);
    const answer = await ask(card, "POST", "/passes/apple", { json, maxBytes: 4 * 1024 * 1024 });
    return new Blob([answer.body], { type: "application/vnd.apple.pkpass" });
  }

  async googleSaveLink(card: CardRecord): Promise<string> {
    const link = textIn(
      await ask(card, "POST", "/passes/google", { json: await this.#proofs(card) }),
      "save_uri",
    );
    const isSafe = URL.canParse(link) && new URL(link).protocol === "https:";
    if (!isSafe) throw new WalletRefusal("bad-answer", { what: "save_uri" });
    return link;
  }

  /** Subscribes this phone to notices about the card; false when they are not to be had. */
  async followByPush(card: CardRecord, push: PushManager): Promise<boolean> {
    try {
      const key = fromBase64url(textIn(await ask(card, "GET", "/push"), "application_server_key"));
      if (key === undefined) return false;
      const wanted = { userVisibleOnly: true, applicationServerKey: key };
      const subscription = (await push.subscribe(wanted)).toJSON();
      const { endpoint, keys } = subscription;
      const json = { endpoint, keys } as JsonObject;
      await ask(card, "PUT", "/push", { json });
      return true;
    } catch (error) {
      // NotAllowedError: the student said no; InvalidStateError: another service's key is in use.
      if (error instanceof DOMException) return false;
      if (error instanceof WalletRefusal && error.refusal === "not-offered") return false;
      throw error;
    }
  }

  async #proofs(card: CardRecord): Promise<JsonObject> {
    return { proofs: { jwt: [await proofOf(this.#database, card, this.#now())] } };
  }
}

/** That the phone was ended is told here as a refusal; the next refresh keeps it. */
async function ask(card: CardRecord, method: string, path: string, question?: Question): Promise<Answer> {
  if (card.device === null) throw new WalletRefusal("not-offered");
  try {
    return await askDevice(card.device, method, path, question);
  } catch (error) {
    if (error instanceof DeviceEnded) throw new WalletRefusal("device-ended", { as: error.endedAs });
    throw error;
  }
}
