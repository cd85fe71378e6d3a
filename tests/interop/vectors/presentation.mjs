// A presentation in parts, and the request for one: presentation-qr.md.

import { createHash } from "node:crypto";

import { readCbor } from "./cbor.mjs";
import { countCharacters, decodeBase32, encodeBase64url, equal, trim } from "./encodings.mjs";
import { isPlain } from "./identifiers.mjs";
import { isObject, isString, readJsonObject } from "./json.mjs";
import { as, refuse } from "./refusal.mjs";

const BAD = "MalformedPresentation";
const PART = /^([1-9][0-9]?)\/([1-9][0-9]?)\/([A-Z2-7]{16})\/([A-Z2-7]+)$/;

// What follows the mark and its version 1.
function restOf(whole, mark, most) {
  if (!trim(whole).startsWith(mark)) refuse("NotACard");
  if (countCharacters(whole) > most) refuse(BAD, "too long");
  const text = trim(whole);
  if (!text.startsWith(`${mark}1/`)) refuse("UnknownVersion");
  return text.slice(mark.length + 2);
}

function readPart(text) {
  const [, index, total, digest, data] = PART.exec(restOf(text, "ESCP", 850)) ?? refuse(BAD, "not a part");
  const bytes = as(BAD, () => decodeBase32(data));
  if (Number(index) > Number(total) || Number(total) > 16) refuse(BAD, "an index or a total out of bounds");
  if (bytes.length < 1 || bytes.length > 512) refuse(BAD, "a part of another size");
  return { index: Number(index), total: Number(total), digest, bytes };
}

export function joinParts(lines) {
  const parts = [];
  for (const part of lines.map(readPart)) {
    const first = parts.find(Boolean) ?? part;
    if (part.total !== first.total || part.digest !== first.digest) refuse(BAD, "two presentations");
    if (!equal((parts[part.index] ??= part).bytes, part.bytes)) refuse(BAD, "two parts for one place");
  }
  const found = parts.filter(Boolean);
  if (found.length < found[0].total) refuse("IncompletePresentation");
  const whole = Buffer.concat(found.map(({ bytes }) => bytes));
  const digest = createHash("sha256").update(whole).digest().subarray(0, 10);
  if (!equal(decodeBase32(found[0].digest), digest)) refuse(BAD, "another digest");
  return textOf(as(BAD, () => readCbor(whole)));
}

function textOf(pieces) {
  if (!Array.isArray(pieces) || pieces.length < 6 || pieces.length > 70) refuse(BAD, "not 6 to 70 pieces");
  const isPiece = (piece) => piece instanceof Uint8Array && piece.length > 0;
  if (!pieces.every(isPiece)) refuse(BAD, "a piece that is no byte string, or empty");
  const texts = pieces.map(encodeBase64url);
  const [issuer, disclosures, binding] = [texts.slice(0, 3), texts.slice(3, -3), texts.slice(-3)];
  return [issuer.join("."), ...disclosures, binding.join(".")].join("~");
}

const isText = (value, most) =>
  isString(value) && value !== "" && countCharacters(value) <= most && isPlain(value);

function textsOf(values, most, mostChars) {
  if (!Array.isArray(values) || values.length < 1 || values.length > most) refuse(BAD, "not a list of so many");
  if (!values.every((value) => isText(value, mostChars))) refuse(BAD, "not plain texts");
  noneTwice(values);
  return values;
}

export function readRequest(text) {
  const encoded = restOf(text, "ESCR", 2500);
  const bytes = as(BAD, () => decodeBase32(encoded));
  const body = as(BAD, () => readJsonObject(bytes));
  const [audience, nonce, query] = ["client_id", "nonce", "dcql_query"].map((name) => memberOf(body, name));
  if (!isText(audience, 120) || audience.includes(":")) refuse(BAD, "an audience");
  if (!isString(nonce) || !/^[A-Za-z0-9_-]{22,86}$/.test(nonce)) refuse(BAD, "a nonce");
  const credentials = memberOf(query, "credentials");
  if (!Array.isArray(credentials) || credentials.length < 1 || credentials.length > 4) refuse(BAD, "1 to 4 credentials");
  const ways = credentials.map(readWay);
  noneTwice(ways.flatMap(({ types }) => types));
  const names = ways.map((_, index) => ["card", "card-2", "card-3", "card-4"][index]);
  const written = JSON.stringify({
    client_id: audience,
    nonce,
    dcql_query: {
      credentials: ways.map(({ types, claims }, index) => ({
        id: names[index],
        format: "dc+sd-jwt",
        meta: { vct_values: types },
        ...(claims.length > 0 && { claims: claims.map((name) => ({ path: [name] })) }),
      })),
      ...(ways.length > 1 && { credential_sets: [{ options: names.map((name) => [name]) }] }),
    },
  });
  if (!equal(Buffer.from(written), bytes)) refuse(BAD, "another spelling");
  const [first, ...others] = ways;
  return { audience, nonce, ...first, ...(others.length > 0 && { others }) };
}

function readWay(credential) {
  const types = textsOf(memberOf(memberOf(credential, "meta"), "vct_values"), 8, 512);
  const asked = memberOf(credential, "claims");
  return { types, claims: asked === undefined ? [] : textsOf(pathsOf(asked), 16, 64) };
}

function noneTwice(values) {
  if (new Set(values).size < values.length) refuse(BAD, "one twice");
}

const memberOf = (object, name) => (isObject(object) ? object[name] : refuse(BAD, `no ${name}`));
const pathsOf = (claims) =>
  Array.isArray(claims) ? claims.map((claim) => memberOf(claim, "path")?.[0]) : refuse(BAD, "no list of claims");
