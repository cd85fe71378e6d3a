/** What is kept, as the screens see it; and a card as it begins. */

import { WalletRefusal, type Enrolment, type Facts, type WalletCard } from "../model.ts";
import { hostOf } from "../protocol/addresses.ts";
import { PLAIN_LOOK, shortText } from "../protocol/card_answer.ts";
import { claimsOf, codesOf, escnOf } from "../protocol/credentials.ts";
import { isArray } from "../protocol/json.ts";
import type { CardRecord, EnrolmentRecord, PictureRecord } from "../store/records.ts";

/** The card of the screens: no token and no key goes there. */
export function cardView(
  card: CardRecord,
  pictures: { logo: PictureRecord | undefined; photo: PictureRecord | undefined },
): WalletCard {
  return {
    id: card.id,
    credentialIssuer: card.credentialIssuer,
    cardUri: card.device?.cardUri ?? "",
    facts: card.facts,
    look: { ...card.look, logo: blobOf(pictures.logo) },
    photo: blobOf(pictures.photo),
    ownPhoto: card.ownPhoto,
    consent: card.consent,
    codes: codesOf(Object.values(card.credentials)),
    configurations: Object.keys(card.credentials),
    esi: esiOf(card),
    deviceName: card.deviceName,
    updatedAt: card.updatedAt,
    clockAhead: card.clockAhead,
    endedAs: card.endedAs,
    notices: card.notices,
  };
}

export function enrolmentView(record: EnrolmentRecord): Enrolment {
  return {
    id: record.id,
    credentialIssuer: record.credentialIssuer,
    institutionName: record.institutionName,
    step: stepOf(record),
    needsTxCode: record.txCode !== null && record.accessToken === null,
    txCodeLength: record.txCode?.length ?? null,
    startedAt: record.startedAt,
  };
}

function stepOf(record: EnrolmentRecord): Enrolment["step"] {
  if (record.accessToken === null) return "offer";
  return Object.keys(record.credentials).length === 0 ? "token" : "credentials";
}

/** A card of what was taken; until the first refresh it says what its credentials say. */
export function newCard(record: EnrolmentRecord, now: number): CardRecord {
  return {
    id: record.id,
    credentialIssuer: record.credentialIssuer,
    addedAt: Date.now(),
    credentials: record.credentials,
    device: record.device,
    facts: firstFacts(record),
    look: PLAIN_LOOK,
    logo: null,
    photo: null,
    ownPhoto: null,
    consent: null,
    deviceName: null,
    updatedAt: now,
    clockAhead: 0,
    etag: null,
    renewal: null,
    endedAs: null,
    notices: [],
  };
}

function esiOf(card: CardRecord): string | null {
  const codes = claimsOf(Object.values(card.credentials))["schac_personal_unique_code"];
  return isArray(codes) ? shortText(codes[0]) : null;
}

function firstFacts(record: EnrolmentRecord): Facts {
  const credentials = Object.values(record.credentials);
  const claims = claimsOf(credentials);
  const escn = escnOf(credentials);
  if (escn === null) throw new WalletRefusal("bad-answer", { host: hostOf(record.credentialIssuer) });
  const ends = Object.values(codesOf(credentials)).map((code) => code.expiresAt);
  return {
    escn,
    state: "active",
    reason: null,
    // The number's last nine digits name the institution (docs/esc-qr.md, section 1).
    institution: { pic: escn.slice(-9), name: record.institutionName, country: "" },
    name: shortText(claims["name"]) ?? "",
    academicLevel: shortText(claims["academic_level"]),
    issuedOn: dayOf(claims["iat"] ?? record.startedAt),
    expiresOn: dayOf(claims["exp"] ?? Math.max(...ends, 0)),
  };
}

function dayOf(seconds: unknown): string {
  const time = new Date(typeof seconds === "number" ? seconds * 1000 : Number.NaN);
  return Number.isNaN(time.getTime()) ? "" : time.toISOString().slice(0, 10);
}

function blobOf(picture: PictureRecord | undefined): Blob | null {
  return picture === undefined ? null : new Blob([picture.data], { type: picture.type });
}
