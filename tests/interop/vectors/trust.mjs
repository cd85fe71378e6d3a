// The trust list (trust-list.md).

import { encodeBase64url } from "./encodings.mjs";
import { isInteger, isObject, isString, secondsOf } from "./json.mjs";
import { readJws } from "./jws.mjs";
import { readPic } from "./identifiers.mjs";
import { readPublicJwk, thumbprintOf, verifies } from "./keys.mjs";
import { as, refuse } from "./refusal.mjs";

const LEEWAY = 60;
const MOST_CHARACTERS = 16 * 1024 * 1024;
const bad = (message) => refuse("MalformedDocument", message);
const array = (value) => (Array.isArray(value) ? value : bad("an array is expected"));
const object = (value) => (isObject(value) ? value : bad("an object is expected"));
const seconds = (value) => secondsOf(value, "MalformedDocument");

function text(value) {
  const length = isString(value) ? [...value].length : 0;
  return length >= 1 && length <= 1024 ? value : bad("a text of 1 to 1024 characters");
}

function positive(value) {
  return isInteger(value) && value >= 1 && value <= 0xffffffff ? value : bad("a number from 1 on");
}

function noneTwice(values) {
  if (new Set(values).size !== values.length) bad("something twice");
}

async function readKey(entry) {
  const state = object(entry).state;
  if (!["active", "retired", "compromised"].includes(state)) bad("a key's state");
  const key = as("MalformedDocument", () => readPublicJwk(entry.jwk));
  const digest = await thumbprintOf(key);
  const since = state === "compromised" ? seconds(entry.compromised_since) : null;
  const [from, until] = [seconds(entry.valid_from), seconds(entry.valid_until)];
  const kid = encodeBase64url(digest);
  return { key, kid, kidBytes: digest.subarray(0, 8), from, until, since };
}

async function readInstitution(entry) {
  object(entry);
  const names = ["name", "country", "schac_home_organization", ...("processor" in entry ? ["processor"] : [])];
  names.forEach((name) => text(entry[name]));
  const keys = await Promise.all(array(entry.keys).map(readKey));
  noneTwice(keys.map((key) => key.kid));
  const lists = array(entry.status_lists).map((item) => [positive(object(item).number), text(item.uri)]);
  noneTwice(lists.map(([number]) => number));
  const pic = as("MalformedDocument", () => readPic(text(entry.pic)));
  const scopes = array(entry.esi_scopes).map((scope) => text(scope).toLowerCase());
  return { pic, country: entry.country, issuer: text(entry.issuer), scopes: new Set(scopes), keys, lists: new Map(lists) };
}

async function readTrustList(claims) {
  if (positive(claims.version) !== 1) bad("another version");
  const institutions = await Promise.all(array(claims.institutions).map(readInstitution));
  noneTwice(institutions.map((one) => one.pic));
  noneTwice(institutions.map((one) => one.issuer));
  noneTwice(institutions.flatMap((one) => [...one.lists.values()]));
  const anchors = array(claims.anchors).map((jwk) => as("MalformedDocument", () => readPublicJwk(jwk)));
  if (anchors.length === 0) bad("no anchor");
  const types = new Map(Object.entries(object(claims.types)).map(([vct, sri]) => [text(vct), text(sri)]));
  if ("bundle" in claims) text(claims.bundle);
  const sequence = positive(claims.sequence);
  return { sequence, iat: seconds(claims.iat), exp: seconds(claims.exp), institutions, anchors, types };
}

export async function verifyTrustList(token, { anchors, now, leastSequence }) {
  if ([...token].length > MOST_CHARACTERS) refuse("DocumentTooLarge");
  const jws = as("MalformedDocument", () => readJws(token, "esc-trust-list+jwt", MOST_CHARACTERS));
  const signed = await Promise.all(anchors.map((anchor) => verifies(anchor, jws.signature, jws.message)));
  if (!signed.includes(true)) refuse("DocumentUntrusted");
  const trust = await readTrustList(jws.payload);
  if (trust.sequence < leastSequence) refuse("DocumentRolledBack");
  if (trust.iat > now + LEEWAY) refuse("DocumentFromFuture");
  if (now >= trust.exp + LEEWAY) refuse("DocumentExpired");
  return trust;
}

// trust-list.md, section 3.
export function checkKeyAt(key, signedAt) {
  if (signedAt < key.from - LEEWAY || signedAt >= key.until + LEEWAY) refuse("KeyNotValid");
  if (key.since !== null && (signedAt < key.from || signedAt >= key.since)) refuse("KeyCompromised");
}
