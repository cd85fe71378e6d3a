/**
 * Asking a phone for a presentation, by one QR code (docs/presentation-qr.md, section 2).
 *
 * The members are OpenID4VP 1.0's, the claims a DCQL query.
 */

import { decodeBase32, encodeBase32 } from "./base32.ts";
import { compare, encodeUtf8, isLongerThan, trimAround } from "./bytes.ts";
import { isPlainText } from "./card_claims.ts";
import { refuse, refusingAs } from "./errors.ts";
import { isJsonArray, isJsonObject, parseJsonObject, type Json } from "./json.ts";
import { CLAIMS, type Claim, type CredentialType, type Policy } from "./policy.ts";
import { VERIFIABLE_STUDENT_ID_VCT } from "./sd_jwt_vc.ts";

const MARK = "ESCR";
const VERSION = "1";
const BAD = "MalformedPresentation";
const MAX_REQUEST_CHARS = 2_500;
export const MAX_AUDIENCE_CHARS = 120;
const MAX_TYPES = 8;
const MAX_TYPE_CHARS = 512;
const MAX_CLAIMS = 16;
const MAX_CLAIM_CHARS = 64;
const MAX_ALTERNATIVES = 4;
export const ANSWERED_WITHIN = 300; // seconds; then its nonce is over

/** What the check reads, by the name that our credential gives it (docs/credential.md, section 2). */
const CLAIM_NAMES: Readonly<Record<Claim, string>> = {
  name: "name",
  level: "academic_level",
  esi: "schac_personal_unique_code",
};

/** And by the names that every VerifiableStudentID has; it says nothing of the level. */
const STUDENT_ID_NAMES: Readonly<Record<Claim, readonly string[] | null>> = {
  name: ["firstName", "familyName"],
  level: null,
  esi: ["schacPersonalUniqueCode"],
};

/** One way to answer. */
export interface Alternative {
  readonly types: readonly string[]; // `vct` values of the credentials that will do
  readonly claims: readonly string[]; // names of the claims to be disclosed
}

/** What a provider asks for. */
export interface PresentationRequest extends Alternative {
  readonly audience: string; // who asks, as the student reads it; the phone signs it
  readonly nonce: string; // makes the answer one to this request; new for each
  readonly others?: readonly Alternative[]; // what will do as well, the preferred first; never empty
}

/** What a service needs to read, and no more. */
export function claimsFor(policy: Policy): Claim[] {
  return CLAIMS.filter(
    (claim) =>
      policy.claims.has(claim) ||
      (claim === "esi" && policy.identityOnly) ||
      (claim === "level" && policy.levels !== null),
  );
}

/** The claims' names in the credential. */
export function claimNamesOf(claims: readonly Claim[]): string[] {
  return claims.map((claim) => CLAIM_NAMES[claim]);
}

/**
 * The ways to answer, the preferred first: by a credential of these types, or by a student attestation
 * of a European wallet where that says what is needed; of both what the service takes. Maybe none.
 */
export function alternativesFor(
  vcts: readonly string[],
  claims: readonly Claim[],
  { types }: Policy,
): Alternative[] {
  const ofCards = vcts.filter((vct) => vct !== VERIFIABLE_STUDENT_ID_VCT).slice(0, MAX_TYPES);
  const names = claims.map((claim) => STUDENT_ID_NAMES[claim]);
  const ways: [CredentialType, readonly string[], readonly string[]][] = [
    ["EuropeanStudentCard", ofCards, claimNamesOf(claims)],
    [
      "VerifiableStudentID",
      names.includes(null) ? [] : [VERIFIABLE_STUDENT_ID_VCT],
      names.flatMap((one) => one ?? []),
    ],
  ];
  const taken = ways.filter(([type, some]) => some.length > 0 && types?.has(type) !== false);
  return taken.map(([, some, needed]) => ({ types: some, claims: needed }));
}

/** What a service can ask for with credentials of these types: a level is in cards only. */
export function askableClaims(vcts: readonly string[], policy: Policy): Claim[] {
  return CLAIMS.filter((claim) => alternativesFor(vcts, [claim], policy).length > 0);
}

/** Whether a text is meant as a request, of whatever version. */
export function isRequest(text: string): boolean {
  return trimAround(text).startsWith(MARK);
}

/** Whether a text can name who asks. */
export function isAudience(text: string): boolean {
  return isText(text, MAX_AUDIENCE_CHARS) && !text.includes(":");
}

/** The text of the code that asks; `MalformedPresentation` when a member breaks its rules. */
export function encodeRequest(request: PresentationRequest): string {
  check(request);
  const text = `${MARK}${VERSION}/${encodeBase32(encodeUtf8(jsonOf(request)))}`;
  return text.length > MAX_REQUEST_CHARS ? refuse(BAD, "more than 2,500 characters") : text;
}

/** Takes a request apart: `NotACard`, `UnknownVersion`, `MalformedPresentation`. */
export function parseRequest(whole: string): PresentationRequest {
  if (!isRequest(whole)) refuse("NotACard", "not a request for a presentation");
  if (isLongerThan(whole, MAX_REQUEST_CHARS)) refuse(BAD, "a request of more than 2,500 characters");
  const text = trimAround(whole);
  const beginning = `${MARK}${VERSION}/`;
  if (!text.startsWith(beginning)) refuse("UnknownVersion", "a request of a version that is not known here");
  const data = refusingAs(BAD, "not base32", () => decodeBase32(text.slice(beginning.length)));
  const request = requestIn(refusingAs(BAD, "not a request", () => parseJsonObject(data)));
  check(request);
  // So an unknown member, another order or white space is refused too.
  if (compare(encodeUtf8(jsonOf(request)), data) !== 0) refuse(BAD, "a request in another spelling");
  return request;
}

function jsonOf({ audience, nonce, types, claims, others = [] }: PresentationRequest): string {
  const asked = [{ types, claims }, ...others];
  const ids = asked.map((_, at) => (at === 0 ? "card" : `card-${at + 1}`));
  const credentials = asked.map((one, at) => credentialOf(ids[at] ?? "", one));
  const sets = others.length === 0 ? {} : { credential_sets: [{ options: ids.map((id) => [id]) }] };
  return JSON.stringify({ client_id: audience, nonce, dcql_query: { credentials, ...sets } });
}

function credentialOf(id: string, { types, claims }: Alternative): object {
  const asked = claims.length === 0 ? {} : { claims: claims.map((name) => ({ path: [name] })) };
  return { id, format: "dc+sd-jwt", meta: { vct_values: types }, ...asked };
}

function requestIn(body: Json): PresentationRequest {
  const credentials = listOf(memberOf(memberOf(body, "dcql_query"), "credentials"));
  const [first = refuse(BAD, "no credential is asked for"), ...others] = credentials.map(alternativeIn);
  const audience = textOf(memberOf(body, "client_id"));
  const asked = { audience, nonce: textOf(memberOf(body, "nonce")), ...first };
  return others.length === 0 ? asked : { ...asked, others };
}

function alternativeIn(credential: Json): Alternative {
  const claims = memberOf(credential, "claims");
  return {
    types: listOf(memberOf(memberOf(credential, "meta"), "vct_values")).map(textOf),
    claims:
      claims === undefined ? [] : listOf(claims).map((claim) => textOf(firstOf(memberOf(claim, "path")))),
  };
}

function memberOf(value: Json | undefined, name: string): Json | undefined {
  return isJsonObject(value) ? value.get(name) : refuse(BAD, "an object where none is");
}

function listOf(value: Json | undefined): readonly Json[] {
  return isJsonArray(value) ? value : refuse(BAD, "a list where none is");
}

function firstOf(value: Json | undefined): Json | undefined {
  return listOf(value)[0];
}

function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : refuse(BAD, "a text where none is");
}

function check({ audience, nonce, types, claims, others = [] }: PresentationRequest): void {
  if (!isAudience(audience)) refuse(BAD, "an audience is plain, without a colon");
  if (!/^[A-Za-z0-9_-]{22,86}$/.test(nonce)) refuse(BAD, "a nonce has 22 to 86 characters of base64url");
  if (others.length >= MAX_ALTERNATIVES) refuse(BAD, "more than four ways to answer");
  const alternatives = [{ types, claims }, ...others];
  for (const one of alternatives) {
    checkTexts(one.types, MAX_TYPES, MAX_TYPE_CHARS);
    if (one.claims.length > 0) checkTexts(one.claims, MAX_CLAIMS, MAX_CLAIM_CHARS);
  }
  const all = alternatives.flatMap((one) => one.types);
  if (new Set(all).size < all.length) refuse(BAD, "a type twice");
}

function checkTexts(texts: readonly string[], most: number, mostChars: number): void {
  if (texts.length < 1 || texts.length > most || !texts.every((text) => isText(text, mostChars))) {
    refuse(BAD, "types and claims are lists of plain texts");
  }
  if (new Set(texts).size < texts.length) refuse(BAD, "a type or a claim twice");
}

function isText(text: string, most: number): boolean {
  const isWhole = !/[\ud800-\udfff]/u.test(text); // no UTF-8 has half a character
  return text !== "" && !isLongerThan(text, most) && isWhole && isPlainText(text);
}
