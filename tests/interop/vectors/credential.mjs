// The SD-JWT VC (credential.md): form, disclosures, claims.

import { ascii, countCharacters, decodeBase64url, encodeBase64url, trim } from "./encodings.mjs";
import { isPlain, readEscn, readEsi, readPic } from "./identifiers.mjs";
import { isInteger, isObject, isString, readJson, secondsOf } from "./json.mjs";
import { readJws } from "./jws.mjs";
import { readPublicJwk, sha256 } from "./keys.mjs";
import { as, refuse } from "./refusal.mjs";

const CLEAR = ["iss", "iat", "nbf", "exp", "cnf", "vct", "vct#integrity", "status", "_sd_alg"];
const REQUIRED = ["iss", "nbf", "exp", "cnf", "vct", "status"];
const LEVELS = ["BACHELOR", "MASTER", "DOCTORATE"];
const bad = (message) => refuse("MalformedCredential", message);

async function readDisclosure(text) {
  if (text.length < 1 || text.length > 8192) bad("a disclosure's length");
  const parts = as("MalformedCredential", () => readJson(decodeBase64url(text), 2));
  if (!Array.isArray(parts) || parts.length < 2 || parts.length > 3) bad("an array of two or three");
  const name = parts.length === 3 ? parts[1] : null;
  if (!isString(parts[0]) || (parts.length === 3 && !isString(name))) bad("salt and name");
  if (name === "_sd" || name === "..." || CLEAR.includes(name)) bad("a forbidden name");
  return { name, value: parts.at(-1), digest: encodeBase64url(await sha256(ascii(text))) };
}

export async function readCredential(whole) {
  const text = trim(whole);
  if (countCharacters(text) > 32_768) bad("too long");
  const [issuerJwt, ...rest] = text.split("~");
  if (rest.length === 0 || issuerJwt === "") bad("no tilde");
  const binding = rest.pop();
  if (rest.length > 64) bad("too many disclosures");
  const disclosures = [];
  for (const one of rest) disclosures.push(await readDisclosure(one));
  const jws = as("MalformedCredential", () => readJws(issuerJwt, "dc+sd-jwt", 32_768));
  if (!REQUIRED.every((name) => name in jws.payload) || !isString(jws.payload.iss)) bad("a claim is missing");
  return { jws, disclosures, binding, presented: text.slice(0, text.lastIndexOf("~") + 1) };
}

class Revealing {
  constructor(disclosures) {
    this.byDigest = new Map(disclosures.map((one) => [one.digest, one]));
    if (this.byDigest.size !== disclosures.length) bad("a disclosure twice");
    this.seen = new Set();
  }

  take(digest) {
    if (!isString(digest) || this.seen.has(digest)) bad("a digest twice, or not a digest");
    this.seen.add(digest);
    return this.byDigest.get(digest);
  }

  value(value, level) {
    if (level > 16) bad("nested too deep");
    if (Array.isArray(value)) return value.flatMap((item) => this.element(item, level + 1));
    return isObject(value) ? this.object(value, level) : value;
  }

  object(members, level) {
    if ("..." in members) bad("a member ...");
    const digests = "_sd" in members ? members._sd : [];
    if (!Array.isArray(digests)) bad("_sd is an array");
    const revealed = Object.create(null);
    for (const [name, value] of Object.entries(members)) {
      if (name !== "_sd") revealed[name] = this.value(value, level + 1);
    }
    for (const disclosure of digests.map((digest) => this.take(digest))) {
      if (disclosure === undefined) continue;
      if (disclosure.name === null || disclosure.name in revealed) bad("it does not fit here");
      revealed[disclosure.name] = this.value(disclosure.value, level + 1);
    }
    return revealed;
  }

  // An element as a list of one, or of none when it is not disclosed.
  element(item, level) {
    if (!isObject(item) || Object.keys(item).join() !== "...") return [this.value(item, level)];
    const disclosure = this.take(item["..."]);
    if (disclosure === undefined) return [];
    if (disclosure.name !== null) bad("it does not fit here");
    return [this.value(disclosure.value, level)];
  }
}

export function reveal({ jws, disclosures }) {
  const { _sd_alg: algorithm, ...members } = jws.payload;
  if ("_sd_alg" in jws.payload && algorithm !== "sha-256") bad("another hash");
  const revealing = new Revealing(disclosures);
  const claims = revealing.object(members, 1);
  if (![...revealing.byDigest.keys()].every((digest) => revealing.seen.has(digest))) bad("referred to by nothing");
  return claims;
}

function text(value) {
  const length = isString(value) ? countCharacters(value) : 0;
  return length >= 1 && length <= 2048 && isPlain(value) ? value : bad("a text");
}

function nameOf(claims) {
  const whole = ["name", "displayName", "commonName"].find((one) => one in claims);
  if (whole !== undefined) return text(claims[whole]);
  for (const [first, last] of [["given_name", "family_name"], ["firstName", "familyName"]]) {
    if (first in claims && last in claims) return `${text(claims[first])} ${text(claims[last])}`;
  }
  return null;
}

function esisOf(claims) {
  const name = ["schac_personal_unique_code", "schacPersonalUniqueCode"].find((one) => one in claims);
  return name === undefined ? [] : [claims[name]].flat().map((one) => readEsi(text(one)));
}

function levelOf(value) {
  const level = text(value).replace(/[a-z]/g, (letter) => letter.toUpperCase());
  return LEVELS.includes(level) ? level : bad("a level");
}

export function readClaims(credential) {
  const claims = reveal(credential);
  const list = isObject(claims.status) ? claims.status.status_list : null;
  if (!isObject(list) || !isInteger(list.idx) || list.idx < 0) bad("status");
  return as("MalformedCredential", () => ({
    vct: text(claims.vct),
    nbf: secondsOf(claims.nbf, "MalformedCredential"),
    exp: secondsOf(claims.exp, "MalformedCredential"),
    holder: readPublicJwk(isObject(claims.cnf) ? claims.cnf.jwk : null),
    uri: text(list.uri),
    index: list.idx,
    pic: "pic" in claims ? readPic(text(claims.pic)) : null,
    escn: "esc_number" in claims ? readEscn(text(claims.esc_number)) : null,
    name: nameOf(claims),
    esis: esisOf(claims),
    level: "academic_level" in claims ? levelOf(claims.academic_level) : null,
  }));
}
