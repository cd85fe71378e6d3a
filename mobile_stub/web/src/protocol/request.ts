/**
 * A provider's request for a presentation, as this phone reads it (docs/presentation-qr.md,
 * section 2). Its form is checked; who made it, nothing proves.
 */

import { decodeBase32 } from "../codes/base32.ts";
import { WalletRefusal } from "../model.ts";
import { isArray, isObject, parseJsonObject, type Json } from "./json.ts";

/** One way to answer. */
export interface Alternative {
  /** Credential types of which one will do. */
  readonly types: readonly string[];
  /** What is to be disclosed. */
  readonly claims: readonly string[];
}

export interface PresentationRequest extends Alternative {
  /** Who asks, as the student reads it and as the phone signs it. */
  readonly audience: string;
  readonly nonce: string;
  /** What will do as well, the preferred first; left out when there is nothing. */
  readonly others?: readonly Alternative[];
}

const MARK = "ESCR";
const VERSION = "1/";
const MAX_CHARS = 2_500;
const MAX_AUDIENCE_CHARS = 120;
const [MAX_TYPES, MAX_TYPE_CHARS] = [8, 512];
const [MAX_CLAIMS, MAX_CLAIM_CHARS] = [16, 64];
const MAX_ALTERNATIVES = 4;
const NONCE = /^[A-Za-z0-9_-]{22,86}$/;
const AROUND = /^[ \t\r\n]+|[ \t\r\n]+$/g;
// What is not shown as it is: control characters, line separators, marks that turn a text.
const NOT_PLAIN = /[\p{Cc}\u2028-\u202e\u2066-\u2069\p{Cs}]|^\p{Zs}|\p{Zs}$/u;

/** All ways to answer, the preferred first. */
export function alternativesOf({ types, claims, others = [] }: PresentationRequest): Alternative[] {
  return [{ types, claims }, ...others];
}

/** Refused unless it is a request in its one spelling: nobody agrees to what was not shown. */
export function parseRequest(whole: string): PresentationRequest {
  // A character has at most two units: a longer text is not looked at.
  if (whole.length > 2 * MAX_CHARS || lengthOf(whole) > MAX_CHARS) return malformed();
  const text = whole.replace(AROUND, "");
  if (!text.startsWith(MARK)) return malformed();
  if (!text.startsWith(MARK + VERSION)) throw new WalletRefusal("request-newer");
  const data = decodeBase32(text.slice(MARK.length + VERSION.length));
  const request = data === undefined ? undefined : requestIn(parseJsonObject(data));
  if (data === undefined || request === undefined || !isUsable(request)) return malformed();
  const again = new TextEncoder().encode(spell(request));
  const isSame = again.length === data.length && again.every((byte, at) => byte === data[at]);
  return isSame ? request : malformed();
}

function requestIn(body: Json | undefined): PresentationRequest | undefined {
  const credentials = memberOf(memberOf(body, "dcql_query"), "credentials");
  const [audience, nonce] = [memberOf(body, "client_id"), memberOf(body, "nonce")];
  if (typeof audience !== "string" || typeof nonce !== "string" || !isArray(credentials)) return undefined;
  const alternatives = credentials.map(alternativeIn).filter((one) => one !== undefined);
  const [first, ...others] = alternatives;
  if (first === undefined || alternatives.length < credentials.length) return undefined;
  return { audience, nonce, ...first, ...(others.length === 0 ? {} : { others }) };
}

function alternativeIn(credential: Json): Alternative | undefined {
  const types = textsOf(memberOf(memberOf(credential, "meta"), "vct_values"));
  const asked = memberOf(credential, "claims") ?? [];
  const claims = isArray(asked)
    ? textsOf(asked.map((claim) => firstOf(memberOf(claim, "path")) ?? null))
    : undefined;
  return types === undefined || claims === undefined ? undefined : { types, claims };
}

function spell(request: PresentationRequest): string {
  const alternatives = alternativesOf(request);
  const ids = alternatives.map((_, at) => (at === 0 ? "card" : `card-${String(at + 1)}`));
  const credentials = alternatives.map((one, at) => spelledAlternative(ids[at] ?? "", one));
  const sets = ids.length < 2 ? {} : { credential_sets: [{ options: ids.map((id) => [id]) }] };
  const { audience, nonce } = request;
  return JSON.stringify({ client_id: audience, nonce, dcql_query: { credentials, ...sets } });
}

function spelledAlternative(id: string, { types, claims }: Alternative): object {
  const asked = claims.length === 0 ? {} : { claims: claims.map((name) => ({ path: [name] })) };
  return { id, format: "dc+sd-jwt", meta: { vct_values: types }, ...asked };
}

function isUsable(request: PresentationRequest): boolean {
  const { audience, nonce } = request;
  const alternatives = alternativesOf(request);
  const types = alternatives.flatMap((one) => one.types);
  return (
    isPlain(audience, MAX_AUDIENCE_CHARS) &&
    !audience.includes(":") &&
    NONCE.test(nonce) &&
    alternatives.length <= MAX_ALTERNATIVES &&
    alternatives.every(isUsableAlternative) &&
    new Set(types).size === types.length
  );
}

function isUsableAlternative({ types, claims }: Alternative): boolean {
  return (
    types.length >= 1 &&
    areSome(types, MAX_TYPES, MAX_TYPE_CHARS) &&
    areSome(claims, MAX_CLAIMS, MAX_CLAIM_CHARS)
  );
}

function areSome(texts: readonly string[], most: number, mostChars: number): boolean {
  const areAllPlain = texts.every((text) => isPlain(text, mostChars));
  return texts.length <= most && areAllPlain && new Set(texts).size === texts.length;
}

function isPlain(text: string, most: number): boolean {
  return text !== "" && lengthOf(text) <= most && !NOT_PLAIN.test(text);
}

/** In characters, not in units of UTF-16. */
function lengthOf(text: string): number {
  return Array.from(text).length;
}

function memberOf(value: Json | undefined, name: string): Json | undefined {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function firstOf(value: Json | undefined): Json | undefined {
  return isArray(value) ? value[0] : undefined;
}

function textsOf(value: Json | undefined): readonly string[] | undefined {
  const isTexts = isArray(value) && value.every((one) => typeof one === "string");
  return isTexts ? value : undefined;
}

function malformed(): never {
  throw new WalletRefusal("request-malformed");
}
