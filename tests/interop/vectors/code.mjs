// The ESC QR as text and bytes: step 1 of esc-qr.md, section 5.

import { countCharacters, decodeBase32, hexToBytes, trim } from "./encodings.mjs";
import { readCbor, writeSigStructure } from "./cbor.mjs";
import { isPlain, readEscn, readEsiSuffix } from "./identifiers.mjs";
import { refuse } from "./refusal.mjs";

const ADDRESS = "https://esc.gg/";
const OLD_ADDRESSES = ["http://esc.gg/", "http://pp.esc.gg/", "https://pp.esc.gg/"];
const LEVELS = [null, "BACHELOR", "MASTER", "DOCTORATE"];
const CLAIMS = [4, 6, 8, "e", "l", "n", "s"];
const REQUIRED = [4, 6, 8, "n", "s"];

const bad = (message) => refuse("MalformedCode", message);
const isBytes = (value, length) => value instanceof Uint8Array && (length === undefined || value.length === length);
const isUint = (value) => Number.isInteger(value) && value >= 0 && value <= 0xffffffff;
const isMapOf = (value, keys) => value instanceof Map && value.size === keys.length && keys.every((k) => value.has(k));

// The rows of the table in section 1, in their order.
function splitText(whole) {
  if (countCharacters(whole) > 700) refuse("NotACard", "too long");
  const text = trim(whole);
  const address = [ADDRESS, ...OLD_ADDRESSES].find((one) => text.startsWith(one));
  if (address === undefined) refuse("NotACard", "another address");
  const rest = text.slice(address.length);
  const hash = rest.indexOf("#");
  if (address === ADDRESS && hash === rest.length - 1 && hash >= 0) bad("an empty fragment");
  const written = hash < 0 ? rest : rest.slice(0, hash);
  const escn = readEscn(written);
  if (hash < 0 || address !== ADDRESS) refuse("UnsignedCode");
  if (escn !== written) bad("a card number in upper case");
  return [escn, rest.slice(hash + 1)];
}

export function readCode(text) {
  const [escn, fragment] = splitText(text);
  const version = fragment.slice(0, 2);
  if (version !== "E1" && version !== "E2") refuse("UnknownVersion");
  const bytes = decodeBase32(fragment.slice(2));
  if (version === "E1") return { escn, e1Bytes: bytes, e1: readE1(bytes, escn), shownAt: null };
  return { escn, ...readE2(bytes, escn) };
}

function readE2(bytes, escn) {
  if (bytes.length > 353) bad("an E2 has at most 353 bytes");
  const parts = readCbor(bytes);
  if (!Array.isArray(parts) || parts.length !== 3) bad("an array of three");
  const [e1Bytes, shownAt, phoneSignature] = parts;
  if (!isBytes(e1Bytes) || !isUint(shownAt) || !isBytes(phoneSignature, 64)) bad("E1, time, signature");
  return { e1Bytes, e1: readE1(e1Bytes, escn), shownAt, phoneSignature };
}

function readE1(bytes, escn) {
  if (bytes.length > 278) bad("an E1 has at most 278 bytes");
  if (bytes[0] !== 0xd2) bad("not a tagged COSE_Sign1");
  const parts = readCbor(bytes.subarray(1));
  if (!Array.isArray(parts) || parts.length !== 4 || !isMapOf(parts[1], [])) bad("not a COSE_Sign1");
  const [protectedBytes, , payload, signature] = parts;
  if (!isBytes(protectedBytes) || !isBytes(payload) || !isBytes(signature, 64)) bad("not a COSE_Sign1");
  const header = readCbor(protectedBytes);
  if (!isMapOf(header, [1, 4]) || header.get(1) !== -7 || !isBytes(header.get(4), 8)) bad("the protected header");
  const claims = readClaims(readCbor(payload));
  const message = writeSigStructure("Signature1", protectedBytes, hexToBytes(escn.replaceAll("-", "")), payload);
  return { kid: header.get(4), claims, message, signature };
}

function readClaims(map) {
  if (!(map instanceof Map) || !REQUIRED.every((key) => map.has(key))) bad("a claim is missing");
  if (![...map.keys()].every((key) => CLAIMS.includes(key))) bad("an unknown claim");
  const [exp, iat, status] = [map.get(4), map.get(6), map.get("s")];
  if (!isUint(exp) || !isUint(iat) || exp <= iat) bad("exp and iat");
  if (!Array.isArray(status) || status.length !== 2 || !status.every(isUint)) bad("status");
  const level = map.has("l") ? map.get("l") : null;
  if (level !== null && (typeof level !== "number" || !LEVELS[level])) bad("level");
  const esi = map.has("e") ? readEsiOf(map.get("e")) : null;
  const [list, index] = status;
  return { exp, iat, name: readName(map.get("n")), level: LEVELS[level ?? 0], esi, list, index, holder: readHolder(map.get(8)) };
}

function readName(name) {
  const size = typeof name === "string" ? Buffer.byteLength(name) : 0;
  return size >= 1 && size <= 64 && isPlain(name) ? name : bad("name");
}

function readEsiOf(value) {
  if (typeof value !== "string" || countCharacters(value) > 88) bad("ESI");
  return readEsiSuffix(value);
}

function readHolder(cnf) {
  const key = isMapOf(cnf, [1]) ? cnf.get(1) : null;
  if (!isMapOf(key, [1, -1, -2, -3]) || key.get(1) !== 2 || key.get(-1) !== 1) bad("cnf");
  if (!isBytes(key.get(-2), 32) || typeof key.get(-3) !== "boolean") bad("cnf");
  return { x: key.get(-2), yIsOdd: key.get(-3) };
}
