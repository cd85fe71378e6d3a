/** The answer of `GET /device/card` (docs/wallet-api.md, section 2), strictly. */

import type { CardState, Facts, OwnPhoto } from "../model.ts";
import { WalletRefusal } from "../model.ts";
import { parseEndpoint } from "./addresses.ts";
import { isArray, isObject, textOf, type Json, type JsonObject } from "./json.ts";
import { objectOf, type Answer } from "./network.ts";
import { printable } from "./texts.ts";

export interface CardAnswer {
  readonly facts: Facts;
  readonly look: { readonly backgroundColor: string; readonly textColor: string };
  readonly logo: Picture | null;
  readonly photo: Picture | null;
  readonly ownPhoto: OwnPhoto | null;
  readonly consent: { readonly givenAt: number | null } | null;
  readonly deviceName: string | null;
  readonly renewal: Renewal | null;
}

export interface Picture {
  readonly uri: string;
  readonly version: string;
}

export interface Renewal {
  readonly address: string;
  readonly configurationIds: readonly string[] | null;
  readonly nonce: string | null;
}

const STATES: readonly CardState[] = ["active", "suspended", "revoked", "expired"];
const PHOTO_STATES: readonly OwnPhoto["state"][] = ["none", "waiting", "refused", "approved"];
const COLOR = /^#[0-9a-f]{6}$/i;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
/** Of institutions that have not chosen any. */
export const PLAIN_LOOK = { backgroundColor: "#1b3a6b", textColor: "#ffffff" };

/** The card in the answer; `of` is the credential issuer, below whose safety no address may be. */
export function parseCardAnswer(answer: Answer, of: string): CardAnswer {
  const body = objectOf(answer);
  const institution = body["institution"];
  const state = STATES.find((one) => one === body["state"]);
  if (state === undefined || !isObject(institution)) throw bad(answer);
  return {
    facts: parseFacts(body, institution, state),
    look: parseLook(institution),
    logo: parsePicture(institution["logo"], of),
    photo: parsePicture(body["photo"], of),
    ownPhoto: parseOwnPhoto(body["own_photo"]),
    consent: parseConsent(body["consent"]),
    deviceName: isObject(body["device"]) ? shortText(body["device"]["name"]) : null,
    renewal: parseRenewal(body["renewal"], of),
  };

  function parseFacts(card: JsonObject, of: JsonObject, state: CardState): Facts {
    return {
      escn: shortText(card["escn"]) ?? fail(),
      state,
      reason: shortText(card["reason"]),
      institution: {
        pic: shortText(of["pic"]) ?? fail(),
        name: shortText(of["name"]) ?? fail(),
        country: shortText(of["country"]) ?? "",
      },
      name: shortText(card["name"]) ?? "",
      academicLevel: shortText(card["academic_level"]),
      issuedOn: day(card["issued_on"]),
      expiresOn: day(card["expires_on"]),
    };
  }

  function day(value: Json | undefined): string {
    return typeof value === "string" && DAY.test(value) ? value : fail();
  }

  function fail(): never {
    throw bad(answer);
  }
}

/** Seconds of an instant in the services' spelling; null for anything else. */
export function secondsOf(value: Json | undefined): number | null {
  const time = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? null : Math.floor(time / 1000);
}

export function shortText(value: Json | undefined): string | null {
  const text = textOf(value);
  return text === null ? null : printable(text);
}

function parseLook(institution: JsonObject): CardAnswer["look"] {
  const [background, text] = [institution["background_color"], institution["text_color"]];
  const isLook = typeof background === "string" && typeof text === "string";
  if (!isLook || !COLOR.test(background) || !COLOR.test(text)) return PLAIN_LOOK;
  return { backgroundColor: background, textColor: text };
}

function parsePicture(value: Json | undefined, of: string): Picture | null {
  const uri = isObject(value) ? textOf(value["uri"]) : null;
  if (!isObject(value) || uri === null) return null;
  // A logo's address changes with its content, a photo's digest is told beside it.
  return { uri: parseEndpoint(uri, of), version: textOf(value["sha256"]) ?? uri };
}

function parseOwnPhoto(value: Json | undefined): OwnPhoto | null {
  if (!isObject(value)) return null;
  const state = PHOTO_STATES.find((one) => one === value["state"]);
  return state === undefined ? null : { state, reason: shortText(value["reason"]) };
}

function parseConsent(value: Json | undefined): CardAnswer["consent"] {
  return isObject(value) ? { givenAt: secondsOf(value["given_at"]) } : null;
}

function parseRenewal(value: Json | undefined, of: string): Renewal | null {
  if (!isObject(value)) return null;
  const ids = value["credential_configuration_ids"];
  return {
    address: parseEndpoint(value["renewal_uri"], of),
    configurationIds: isArray(ids) ? ids.map(textOf).filter((id) => id !== null) : null,
    nonce: textOf(value["c_nonce"]),
  };
}

function bad(answer: Answer): WalletRefusal {
  return new WalletRefusal("bad-answer", { host: answer.host });
}
