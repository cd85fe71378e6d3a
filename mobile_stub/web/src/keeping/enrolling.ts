/**
 * Taking a card: OpenID4VCI 1.0 with the pre-authorized code, so that a cut anywhere can go on.
 *
 * What must outlast a cut is kept before the other side may remember it: the key and the idempotency
 * key before the token request, the access token before the first credential, each credential as it
 * comes. The card itself is kept, and the enrolment forgotten, in one transaction.
 */

import { newDeviceKey, possessionProof } from "../codes/device_key.ts";
import { WalletRefusal } from "../model.ts";
import { hostOf, parseEndpoint } from "../protocol/addresses.ts";
import {
  errorCode,
  expectOk,
  firstCredential,
  parseAccess,
  parseNonce,
  tokenRefusal,
} from "../protocol/answers.ts";
import { checkCredential } from "../protocol/credentials.ts";
import { isObject, textOf, type Json, type JsonObject } from "../protocol/json.ts";
import { fetchDocuments, type IssuerDocuments } from "../protocol/metadata.ts";
import { call, clockAhead, objectOf, type Answer } from "../protocol/network.ts";
import {
  checkTxCode,
  fetchOfferText,
  GRANT_TYPE,
  parseLink,
  parseOffer,
  type Offer,
} from "../protocol/offers.ts";
import type { Database } from "../store/database.ts";
import type { DeviceAccess } from "../protocol/device_api.ts";
import type { EnrolmentRecord, KeyRecord } from "../store/records.ts";
import { dropLink, isUnreadable, keepLink } from "./kept_offer.ts";
import { keyOf, serviceTime } from "./proving.ts";

export class Enrolling {
  readonly #database: Database;
  readonly #now: () => number;
  readonly #changed: () => void;
  // The service's clock, as last seen: a phone whose clock is wrong can still prove its key.
  #ahead = 0;

  constructor(database: Database, now: () => number, changed: () => void) {
    this.#database = database;
    this.#now = now;
    this.#changed = changed;
  }

  /** Keeps the offer of this link with a new key, or finds what was begun with it. */
  async begin(link: string): Promise<EnrolmentRecord> {
    try {
      parseLink(link); // what is no offer is not kept
      await keepLink(this.#database, link, this.#now());
      const started = (await this.#all()).find((one) => one.link === link);
      const record = started ?? (await this.#prepare(link));
      const key = started === undefined ? await newDeviceKey() : null;
      await this.#database.write(async (transaction) => {
        if (key !== null) await transaction.objectStore("keys").put(key, record.id);
        await transaction.objectStore("enrolments").put(record);
        await dropLink(transaction, link);
      });
      return record;
    } catch (error) {
      if (isUnreadable(error)) await this.#database.write((transaction) => dropLink(transaction, link));
      throw error;
    }
  }

  async #prepare(link: string): Promise<EnrolmentRecord> {
    const text = await fetchOfferText(link);
    const offer = parseOffer(text);
    return {
      id: crypto.randomUUID(),
      link,
      offer: text,
      credentialIssuer: offer.credentialIssuer,
      institutionName: await nameOf(offer),
      txCode: offer.txCode,
      wrongTries: 0,
      idempotencyKey: crypto.randomUUID(),
      accessToken: null,
      identifiers: {},
      credentials: {},
      device: null,
      startedAt: this.#now(),
    };
  }

  /** Goes on with it until every credential is here or denied; may be called again after any failure. */
  async complete(id: string, txCode: string | null): Promise<EnrolmentRecord> {
    let record = await this.#record(id);
    const offer = parseOffer(record.offer);
    if (record.accessToken === null) checkTxCode(offer.txCode, txCode);
    const documents = await fetchDocuments(offer);
    record = await this.#keep({ ...record, institutionName: documents.name });
    if (record.accessToken === null) record = await this.#fetchToken(record, offer, documents, txCode);
    const key = await keyOf(this.#database, id);
    for (const configuration of offer.configurationIds) {
      if (configuration in record.credentials) continue;
      record = await this.#fetchCredential(record, key, configuration, documents);
    }
    if (Object.keys(record.credentials).length > 0) return record;
    await this.abandon(id);
    throw new WalletRefusal("card-not-active");
  }

  async abandon(id: string): Promise<void> {
    await this.#database.write(async (transaction) => {
      await transaction.objectStore("enrolments").delete(id);
      await transaction.objectStore("keys").delete(id);
    });
  }

  async #fetchToken(
    record: EnrolmentRecord,
    offer: Offer,
    documents: IssuerDocuments,
    txCode: string | null,
  ): Promise<EnrolmentRecord> {
    const form: Record<string, string> = {
      grant_type: GRANT_TYPE,
      "pre-authorized_code": offer.preAuthorizedCode,
    };
    if (txCode !== null) form["tx_code"] = txCode;
    const headers = { "Idempotency-Key": record.idempotencyKey };
    const answer = await call("POST", documents.tokenEndpoint, { form, headers });
    this.#seeClock(answer);
    if (answer.status === 400 || answer.status === 401) throw await this.#noToken(record, answer, txCode);
    const access = parseAccess(expectOk(answer));
    return this.#keep({ ...record, accessToken: access.token, identifiers: access.identifiers });
  }

  /** A wrong code may be tried again; an offer that is over is forgotten. */
  async #noToken(record: EnrolmentRecord, answer: Answer, txCode: string | null): Promise<WalletRefusal> {
    const wasWrong = record.wrongTries > 0;
    const refusal = tokenRefusal(answer, { withCode: txCode !== null, wasWrong });
    if (refusal.refusal === "tx-code-wrong") {
      await this.#keep({ ...record, wrongTries: record.wrongTries + 1 });
    } else {
      await this.abandon(record.id);
    }
    return refusal;
  }

  /** Fetches and keeps one credential; one that is denied, whatever one does, is left out. */
  async #fetchCredential(
    record: EnrolmentRecord,
    key: KeyRecord,
    configuration: string,
    documents: IssuerDocuments,
  ): Promise<EnrolmentRecord> {
    let answer = await this.#requestCredential(record, key, configuration, documents);
    // It was too slow: once more with a new nonce.
    if (errorCode(answer) === "invalid_nonce") {
      answer = await this.#requestCredential(record, key, configuration, documents);
    }
    if (answer.status === 401) return this.#accessEnded(record);
    if (errorCode(answer) === "credential_request_denied") return record;
    const format = documents.configurations.get(configuration)?.format ?? "";
    const credential = checkCredential(format, firstCredential(expectOk(answer)), key);
    return this.#keep({
      ...record,
      credentials: { ...record.credentials, [configuration]: credential },
      device: deviceOf(objectOf(answer)["esc_device"], record.credentialIssuer) ?? record.device,
    });
  }

  async #requestCredential(
    record: EnrolmentRecord,
    key: KeyRecord,
    configuration: string,
    documents: IssuerDocuments,
  ): Promise<Answer> {
    const identifier = record.identifiers[configuration];
    const which: JsonObject =
      identifier === undefined
        ? { credential_configuration_id: configuration }
        : { credential_identifier: identifier };
    const needsProof = documents.configurations.get(configuration)?.needsProof === true;
    const proofs: JsonObject = needsProof
      ? { proofs: { jwt: [await this.#proof(key, await fetchNonce(documents), documents)] } }
      : {};
    const headers = { Authorization: `Bearer ${record.accessToken ?? ""}` };
    const answer = await call("POST", documents.credentialEndpoint, {
      headers,
      json: { ...which, ...proofs },
    });
    this.#seeClock(answer);
    return answer;
  }

  async #proof(key: KeyRecord, nonce: string | null, documents: IssuerDocuments): Promise<string> {
    const now = serviceTime(this.#now(), this.#ahead);
    return possessionProof(key, { audience: documents.credentialIssuer, nonce, now });
  }

  /** The access token is over: what came is kept, so that it is not lost. */
  async #accessEnded(record: EnrolmentRecord): Promise<EnrolmentRecord> {
    if (Object.keys(record.credentials).length > 0) return record;
    await this.abandon(record.id);
    throw new WalletRefusal("offer-used");
  }

  async #keep(record: EnrolmentRecord): Promise<EnrolmentRecord> {
    await this.#database.write((transaction) => transaction.objectStore("enrolments").put(record));
    this.#changed();
    return record;
  }

  async #record(id: string): Promise<EnrolmentRecord> {
    const record = (await this.#all()).find((one) => one.id === id);
    if (record === undefined) throw new WalletRefusal("offer-used");
    return record;
  }

  async #all(): Promise<EnrolmentRecord[]> {
    return this.#database.read((transaction) => transaction.objectStore("enrolments").getAll());
  }

  #seeClock(answer: Answer): void {
    this.#ahead = clockAhead(answer, this.#now()) ?? this.#ahead;
  }
}

async function fetchNonce(documents: IssuerDocuments): Promise<string | null> {
  if (documents.nonceEndpoint === null) return null;
  return parseNonce(expectOk(await call("POST", documents.nonceEndpoint)));
}

/** The institution's name, or its host while it cannot be asked. */
async function nameOf(offer: Offer): Promise<string> {
  try {
    return (await fetchDocuments(offer)).name;
  } catch (error) {
    const isAway = error instanceof WalletRefusal && ["no-network", "service-away"].includes(error.refusal);
    if (!isAway) throw error;
    return hostOf(offer.credentialIssuer);
  }
}

/** The token and address for later refreshes; an issuer of others has none. */
function deviceOf(value: Json | undefined, issuer: string): DeviceAccess | null {
  const token = isObject(value) ? textOf(value["device_token"]) : null;
  if (!isObject(value) || token === null) return null;
  return { token, cardUri: parseEndpoint(value["card_uri"], issuer) };
}
