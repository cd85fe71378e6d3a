/** ESI, ESCN and PIC: parsed once at the edge, the promise carried in the type. */

import { countCharacters, hexToBytes, isLongerThan, type Bytes } from "./bytes.ts";
import { refuse } from "./errors.ts";

declare const brand: unique symbol;
export type Escn = string & { readonly [brand]: "escn" }; // 36 characters, lower case
export type Pic = string & { readonly [brand]: "pic" }; // 9 decimal digits
export type AcademicLevel = "BACHELOR" | "MASTER" | "DOCTORATE";

/** A European Student Identifier, as given; compare `normal`, never the text. */
export interface Esi {
  readonly scope: string;
  readonly code: string;
  readonly text: string; // the whole URN
  readonly normal: string; // in lower case: SCHAC matching ignores case
}

export const ESI_PREFIX = "urn:schac:personalUniqueCode:int:esi:";
export const LEVELS: readonly AcademicLevel[] = ["BACHELOR", "MASTER", "DOCTORATE"];
const MAX_ESI_CHARS = 255; // GÉANT ESI specification 1.0, section 2

const PIC = /^[0-9]{9}$/;
const ESCN = /^[0-9a-f]{8}-[0-9a-f]{4}-1[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9]{12}$/;
const COUNTRY = /^[a-z]{2}(?:-[a-z0-9]{1,3})?$/i; // ISO 3166-1 alpha-2 or ISO 3166-2
const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/i;
// RFC 2141, sections 2.2 to 2.4; "%00" is never allowed.
const NSS = /^(?:[A-Za-z0-9()+,\-.:=@;$_!*']|%(?!00)[0-9A-Fa-f]{2})+$/;

// `toLowerCase` maps letters beyond ASCII to ASCII; identifiers have none.
function lowerAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

export function parsePic(text: string): Pic {
  if (!PIC.test(text) || text.length !== 9) refuse("MalformedIdentifier", "a PIC is nine decimal digits");
  return text as Pic;
}

/** Reads a card number, upper case as well; the result is in lower case. */
export function parseEscn(text: string): Escn {
  const lower = lowerAscii(text);
  if (text.length !== 36 || !ESCN.test(lower)) refuse("MalformedIdentifier", "not a card number");
  return lower as Escn;
}

/** The institution that the card number names: the last nine digits of the node. */
export function picOf(escn: Escn): Pic {
  return escn.slice(-9) as Pic;
}

/** The server prefix, three digits. */
export function prefixOf(escn: Escn): string {
  return escn.slice(-12, -9);
}

/** The UUID's 16 bytes, in the order of its text. */
export function escnToBytes(escn: Escn): Bytes {
  return hexToBytes(escn.replaceAll("-", ""));
}

/** Reads a whole ESI; its prefix in any case. */
export function parseEsi(text: string): Esi {
  if (isLongerThan(text, MAX_ESI_CHARS)) refuse("MalformedIdentifier", "an ESI has at most 255 characters");
  const prefix = text.slice(0, ESI_PREFIX.length);
  if (lowerAscii(prefix) !== lowerAscii(ESI_PREFIX))
    refuse("MalformedIdentifier", "not the prefix of an ESI");
  return parseEsiSuffix(text.slice(ESI_PREFIX.length));
}

/** Reads what follows an ESI's prefix: `<scope>:<code>`. */
export function parseEsiSuffix(suffix: string): Esi {
  const colon = suffix.indexOf(":");
  const scope = colon < 0 ? suffix : suffix.slice(0, colon);
  const code = colon < 0 ? "" : suffix.slice(colon + 1);
  if (!COUNTRY.test(scope) && !DOMAIN.test(scope)) {
    refuse("MalformedIdentifier", "an ESI's scope is a country code or a domain name");
  }
  if (!NSS.test(code)) refuse("MalformedIdentifier", "an ESI's code has URN characters only (RFC 2141)");
  const text = ESI_PREFIX + suffix;
  if (countCharacters(text) > MAX_ESI_CHARS)
    refuse("MalformedIdentifier", "an ESI has at most 255 characters");
  return { scope, code, text, normal: lowerAscii(text) };
}

/** Reads an academic level in ASCII letters of any case. */
export function parseAcademicLevel(text: string): AcademicLevel {
  const lower = lowerAscii(text);
  return (
    LEVELS.find((level) => level.toLowerCase() === lower) ??
    refuse("MalformedIdentifier", "not an academic level")
  );
}
