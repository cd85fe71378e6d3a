/**
 * The ESC QR code: E1 (signed by the institution) and E2 (shown live by the phone), docs/esc-qr.md;
 * section numbers are its sections. Nothing here is verified; `verify.ts` does that.
 */

import {
  concat,
  eightBytes,
  encodeUtf8,
  isBytes,
  isLongerThan,
  sha256,
  startsWith,
  trimAround,
  type Bytes,
} from "./bytes.ts";
import { decodeBase32 } from "./base32.ts";
import { parseClaims, parseUint, type CardClaims } from "./card_claims.ts";
import { isCborArray, readCbor } from "./cbor.ts";
import { parseSign1, sign1SigningInput } from "./cose.ts";
import { refuse } from "./errors.ts";
import { escnToBytes, parseEscn, type Escn } from "./identifiers.ts";
import { SIGNATURE_BYTES } from "./p256.ts";

const URL_PREFIX = "https://esc.gg/";
// Older cards and pre-production; read where they carry no signed part (section 1).
const OLD_PREFIXES = ["http://esc.gg/", "http://pp.esc.gg/", "https://pp.esc.gg/"];
const MAX_CODE_CHARS = 700; // the longest E2 text has 619 (section 6)
const MAX_E1_BYTES = 278; // QR version 14 at level M (section 6)
const MAX_E2_BYTES = MAX_E1_BYTES + 75;
const KID_BYTES = 8;
const E2_DOMAIN = encodeUtf8("ESC-E2\0");
// The map {1: -7, 4: kid} up to the key id, which is the rest.
const PROTECTED = Uint8Array.of(0xa2, 0x01, 0x26, 0x04, 0x40 | KID_BYTES);

/** An E1 whose form is right and whose signature is not yet checked. */
export interface UnverifiedE1 {
  readonly kid: Bytes; // the first 8 bytes of the key's thumbprint
  readonly claims: CardClaims;
  readonly signingInput: Bytes;
  readonly signature: Bytes;
}

/** What the phone added to an E1 (section 3.1). */
export interface Shown {
  readonly at: number; // seconds
  readonly signature: Bytes;
}

/** A scanned code taken apart. */
export interface UnverifiedCode {
  readonly escn: Escn;
  readonly e1Bytes: Bytes;
  readonly e1: UnverifiedE1;
  readonly shown: Shown | null; // null for a static code
}

/** The bytes that the phone's key signs for an E2 (section 3.2). */
export async function e2SigningInput(e1Bytes: Bytes, shownAt: number, challenge: Bytes): Promise<Bytes> {
  const digest = await sha256(e1Bytes);
  return concat(E2_DOMAIN, digest, eightBytes(shownAt), Uint8Array.of(challenge.length), challenge);
}

/** Takes a scanned text apart without trusting any of it (section 1). */
export function parseCode(text: string): UnverifiedCode {
  const { escnText, fragment } = splitUrl(text);
  const escn = parseEscn(escnText);
  if (fragment === "") refuse("UnsignedCode", "a card number without a signed part");
  if (escn !== escnText) refuse("MalformedCode", "a card number is in lower case");
  const [version, encoded] = [fragment.slice(0, 2), fragment.slice(2)];
  if (version === "E1") {
    const e1Bytes = decodeBase32(encoded);
    return { escn, e1Bytes, e1: parseE1(e1Bytes, escn), shown: null };
  }
  if (version === "E2") return parseE2(decodeBase32(encoded), escn);
  return refuse("UnknownVersion", "a code of a version that this verifier does not know");
}

function splitUrl(whole: string): { escnText: string; fragment: string } {
  if (isLongerThan(whole, MAX_CODE_CHARS)) refuse("NotACard", "more than 700 characters");
  const text = trimAround(whole);
  const prefix = [URL_PREFIX, ...OLD_PREFIXES].find((one) => text.startsWith(one));
  if (prefix === undefined) return refuse("NotACard", "not the address of a European Student Card");
  const rest = text.slice(prefix.length);
  const hash = rest.indexOf("#");
  const escnText = hash < 0 ? rest : rest.slice(0, hash);
  if (hash < 0 || prefix !== URL_PREFIX) return { escnText, fragment: "" };
  const fragment = rest.slice(hash + 1);
  if (fragment === "") refuse("MalformedCode", "an empty signed part");
  return { escnText, fragment };
}

function parseE1(data: Bytes, escn: Escn): UnverifiedE1 {
  if (data.length > MAX_E1_BYTES) refuse("MalformedCode", "an E1 has at most 278 bytes");
  const { protectedHeader, payload, signature } = parseSign1(data);
  if (protectedHeader.length !== PROTECTED.length + KID_BYTES || !startsWith(protectedHeader, PROTECTED)) {
    refuse("MalformedCode", "the protected header names ES256 and a key id of 8 bytes, no more");
  }
  return {
    kid: protectedHeader.subarray(PROTECTED.length),
    claims: parseClaims(payload),
    signingInput: sign1SigningInput(protectedHeader, payload, escnToBytes(escn)),
    signature,
  };
}

function parseE2(data: Bytes, escn: Escn): UnverifiedCode {
  if (data.length > MAX_E2_BYTES) refuse("MalformedCode", "an E2 has at most 353 bytes");
  const parts = readCbor(data);
  if (!isCborArray(parts) || parts.length !== 3) return refuse("MalformedCode", "an E2 is an array of three");
  const [e1Bytes, at, signature] = parts;
  if (!isBytes(e1Bytes) || !isBytes(signature)) {
    return refuse("MalformedCode", "an E2 holds an E1 and a signature");
  }
  if (signature.length !== SIGNATURE_BYTES) refuse("MalformedCode", "an ES256 signature has 64 bytes");
  const shown = { at: parseUint(at), signature };
  return { escn, e1Bytes, e1: parseE1(e1Bytes, escn), shown };
}
