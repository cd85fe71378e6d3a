/**
 * How the card is: asked for, kept, and new credentials when the old near their end.
 *
 * Nothing here takes a card away from the student: without an answer, or with one that is no answer
 * to the question, the card stays as it was last known.
 */

import type { DeviceKey } from "../codes/device_key.ts";
import { WalletRefusal, type Notice } from "../model.ts";
import { parseCardAnswer, type CardAnswer } from "../protocol/card_answer.ts";
import { checkCredential, ESC_QR, SD_JWT_VC, type Credential } from "../protocol/credentials.ts";
import { askAt, askCard, DeviceEnded, fetchPicture, type DeviceAccess } from "../protocol/device_api.ts";
import { isObject, type Json } from "../protocol/json.ts";
import { clockAhead, objectOf } from "../protocol/network.ts";
import type { Database } from "../store/database.ts";
import type { CardRecord, PictureAddress, PictureKind } from "../store/records.ts";
import { newsOf } from "./news.ts";
import { keyOf, proofOf } from "./proving.ts";

const MAX_NOTICES = 20;

export class Refreshing {
  readonly #database: Database;
  readonly #now: () => number;

  constructor(database: Database, now: () => number) {
    this.#database = database;
    this.#now = now;
  }

  /** Asks, keeps what is new, renews when told to. Whoever calls holds the card's lock. */
  async refresh(id: string): Promise<CardRecord> {
    const card = await this.#card(id);
    if (card.endedAs !== null) return card;
    const device = card.device;
    if (device === null) throw new WalletRefusal("not-offered");
    try {
      const { record, nonce } = await this.#ask(card, device);
      const renewed = await this.#renew(record, device, nonce);
      await this.#fetchPictures(renewed, device);
      return renewed;
    } catch (error) {
      if (error instanceof DeviceEnded) return this.#end(id, error);
      throw error;
    }
  }

  async #ask(card: CardRecord, device: DeviceAccess): Promise<{ record: CardRecord; nonce: string | null }> {
    const answer = await askCard(device, card.etag);
    const now = this.#now();
    const seen = { updatedAt: now, clockAhead: clockAhead(answer, now) ?? card.clockAhead };
    if (answer.status === 304) return { record: await this.#change(card.id, seen), nonce: null };
    const told = parseCardAnswer(answer, card.credentialIssuer);
    const { renewal } = told;
    const record = await this.#change(card.id, {
      ...seen,
      ...partsOf(told),
      // While a renewal waits, the next question must get the whole answer again.
      etag: renewal === null ? answer.headers.get("etag") : null,
      renewal: renewal ?? card.renewal,
      notices: withNews(card, newsOf(card, told, now)),
    });
    return { record, nonce: renewal?.nonce ?? null };
  }

  /** New credentials before the old ones end; the old ones stay until every new one is usable. */
  async #renew(card: CardRecord, device: DeviceAccess, nonce: string | null): Promise<CardRecord> {
    const { renewal } = card;
    if (renewal === null || card.facts.state !== "active") return card;
    const key = await keyOf(this.#database, card.id);
    // Without a nonce the answer to an earlier request was lost: the service takes it for done.
    const proof = await proofOf(this.#database, card, this.#now(), nonce);
    const ids = renewal.configurationIds;
    const json = { proofs: { jwt: [proof] }, ...(ids === null ? {} : { credential_configuration_ids: ids }) };
    try {
      const answer = await askAt(device, "POST", renewal.address, { json });
      const credentials = newCredentials(card, key, objectOf(answer)["credentials"]);
      const now = this.#now();
      const notices = withNews(card, [{ at: now, kind: "renewed" }]);
      const kept = { ...card.credentials, ...credentials };
      return await this.#change(card.id, { credentials: kept, renewal: null, notices });
    } catch (error) {
      if (wasRefused(error)) await this.#change(card.id, { renewal: null });
      throw error;
    }
  }

  /** Fetches what changed; a picture that does not come is fetched at the next refresh. */
  async #fetchPictures(card: CardRecord, device: DeviceAccess): Promise<void> {
    await this.#fetchPicture(card, "logo", card.logo, null);
    await this.#fetchPicture(card, "photo", card.photo, device);
  }

  async #fetchPicture(
    card: CardRecord,
    kind: PictureKind,
    wanted: PictureAddress | null,
    device: DeviceAccess | null,
  ): Promise<void> {
    const key: [string, string] = [card.id, kind];
    const held = await this.#database.read((transaction) => transaction.objectStore("pictures").get(key));
    if (held?.version === wanted?.version) return;
    if (wanted === null) {
      await this.#database.write((transaction) => transaction.objectStore("pictures").delete(key));
      return;
    }
    try {
      const picture = { ...(await fetchPicture(wanted.uri, device)), version: wanted.version };
      await this.#database.write((transaction) => transaction.objectStore("pictures").put(picture, key));
    } catch (error) {
      if (!(error instanceof WalletRefusal) || error.refusal === "storage-full") throw error;
    }
  }

  async #end(id: string, ended: DeviceEnded): Promise<CardRecord> {
    const now = this.#now();
    const card = await this.#card(id);
    const notices = withNews(card, [{ at: now, kind: "ended" }]);
    return this.#change(id, { endedAs: ended.endedAs, updatedAt: now, renewal: null, notices });
  }

  async #card(id: string): Promise<CardRecord> {
    const card = await this.#database.read((transaction) => transaction.objectStore("cards").get(id));
    if (card === undefined) throw new WalletRefusal("storage-lost");
    return card;
  }

  /** Changes the card as it is now; one that was forgotten meanwhile does not come back. */
  async #change(id: string, changes: Partial<CardRecord>): Promise<CardRecord> {
    return this.#database.write(async (transaction) => {
      const cards = transaction.objectStore("cards");
      const card = await cards.get(id);
      if (card === undefined) throw new WalletRefusal("storage-lost");
      const changed = { ...card, ...changes };
      await cards.put(changed);
      return changed;
    });
  }
}

function partsOf(told: CardAnswer): Partial<CardRecord> {
  const { facts, look, logo, photo, ownPhoto, consent, deviceName } = told;
  return { facts, look, logo, photo, ownPhoto, consent, deviceName };
}

function withNews(card: CardRecord, news: readonly Notice[]): readonly Notice[] {
  return [...card.notices, ...news].slice(-MAX_NOTICES);
}

/** All or nothing: one that cannot be used leaves all the old ones in place. */
function newCredentials(
  card: CardRecord,
  key: DeviceKey,
  value: Json | undefined,
): Record<string, Credential> {
  const entries = isObject(value) ? Object.entries(value) : [];
  if (entries.length === 0) throw new WalletRefusal("bad-answer", { what: "credential" });
  const checked = entries.map(([name, one = null]) => {
    const format = card.credentials[name]?.format ?? (isObject(one) ? ESC_QR : SD_JWT_VC);
    return [name, checkCredential(format, one, key)] as const;
  });
  return Object.fromEntries(checked);
}

/** A refusal that asking again does not change: the old credentials are as good as before. */
function wasRefused(error: unknown): boolean {
  const lasting = ["service-refused", "card-not-active", "not-offered", "too-many"];
  return error instanceof WalletRefusal && lasting.includes(error.refusal);
}
