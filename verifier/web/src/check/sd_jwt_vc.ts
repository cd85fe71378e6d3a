/** SD-JWT VC (draft-ietf-oauth-sd-jwt-vc-19): form and claims (docs/credential.md, sections 1 and 2). */

import { isLongerThan, trimAround } from "./bytes.ts";
import { isPlainText } from "./card_claims.ts";
import { refuse, refusingAs } from "./errors.ts";
import {
  parseAcademicLevel,
  parseEscn,
  parseEsi,
  parsePic,
  type AcademicLevel,
  type Escn,
  type Esi,
  type Pic,
} from "./identifiers.ts";
import { integerOf, isJsonArray, isJsonObject, type Json, type JsonObject } from "./json.ts";
import { parseJws, parsePublicJwk, type UnverifiedJws } from "./jws.ts";
import type { PublicKey } from "./p256.ts";
import { MAX_SD_JWT_CHARS, parseSdJwt, reveal, type SdJwt } from "./sd_jwt.ts";
import { parseSeconds } from "./status.ts";

export const VERIFIABLE_STUDENT_ID_VCT = "VerifiableStudentID"; // WE BUILD rulebook rb-student 0.9
const SD_JWT_VC_TYP = "dc+sd-jwt";
const MAX_TEXT_CHARS = 2048;
// Never in a disclosure (section 2.2.2.2 of the draft), and `iat` by our own rule.
const CLEAR_CLAIMS = ["iss", "iat", "nbf", "exp", "cnf", "vct", "vct#integrity", "status", "_sd_alg"];
const REQUIRED_CLAIMS = ["iss", "nbf", "exp", "cnf", "vct", "status"];

/** An SD-JWT VC whose form is right and whose signature is not yet checked. */
export interface UnverifiedCredential {
  readonly sdJwt: SdJwt;
  readonly jws: UnverifiedJws;
  readonly unverifiedIssuer: string; // to find the institution that must have signed it
}

/** What a credential says, of what its holder discloses. */
export interface CredentialClaims {
  readonly vct: string;
  readonly issuedAt: number; // `nbf`
  readonly expiresAt: number;
  readonly holderKey: PublicKey;
  readonly statusUri: string;
  readonly statusIndex: number;
  readonly pic: Pic | null;
  readonly escn: Escn | null;
  readonly name: string | null;
  readonly esis: readonly Esi[];
  readonly level: AcademicLevel | null;
}

/** Takes an SD-JWT VC apart without trusting any of it; what is wrong is `MalformedCredential`. */
export async function parseCredential(text: string): Promise<UnverifiedCredential> {
  const sdJwt = await parseSdJwt(trimAround(text));
  const jws = refusingAs("MalformedCredential", "not an SD-JWT VC", () =>
    parseJws(sdJwt.issuerJwt, SD_JWT_VC_TYP, MAX_SD_JWT_CHARS),
  );
  const missing = REQUIRED_CLAIMS.filter((name) => !jws.payload.has(name));
  const unverifiedIssuer = jws.payload.get("iss");
  if (missing.length > 0 || typeof unverifiedIssuer !== "string") {
    return malformed(`missing in the clear: ${missing.join(", ")}`);
  }
  if (sdJwt.disclosures.some(({ name }) => name !== null && CLEAR_CLAIMS.includes(name))) {
    malformed("a claim is disclosable that must not be");
  }
  return { sdJwt, jws, unverifiedIssuer };
}

/** Reads the claims of a credential whose issuer's signature is checked. */
export function readClaims({ jws, sdJwt }: UnverifiedCredential): CredentialClaims {
  const claims = reveal(jws.payload, sdJwt.disclosures);
  return refusingAs("MalformedCredential", "a claim that breaks its form", () => readRevealed(claims));
}

function readRevealed(claims: JsonObject): CredentialClaims {
  const status = objectOf(objectOf(claims.get("status")).get("status_list"));
  return {
    vct: textOf(claims.get("vct")),
    issuedAt: parseSeconds(claims.get("nbf")),
    expiresAt: parseSeconds(claims.get("exp")),
    holderKey: parsePublicJwk(objectOf(claims.get("cnf")).get("jwk")),
    statusUri: textOf(status.get("uri")),
    statusIndex: indexOf(status.get("idx")),
    pic: claims.has("pic") ? parsePic(textOf(claims.get("pic"))) : null,
    escn: claims.has("esc_number") ? parseEscn(textOf(claims.get("esc_number"))) : null,
    name: nameOf(claims),
    esis: esisOf(claims),
    level: claims.has("academic_level") ? parseAcademicLevel(textOf(claims.get("academic_level"))) : null,
  };
}

function nameOf(claims: JsonObject): string | null {
  for (const name of ["name", "displayName", "commonName"]) {
    if (claims.has(name)) return textOf(claims.get(name));
  }
  for (const [first, last] of [
    ["given_name", "family_name"],
    ["firstName", "familyName"],
  ] as const) {
    if (claims.has(first) && claims.has(last))
      return `${textOf(claims.get(first))} ${textOf(claims.get(last))}`;
  }
  return null;
}

// Ours is an array; the WE BUILD rulebook writes a string, its sources both.
function esisOf(claims: JsonObject): Esi[] {
  const name = ["schac_personal_unique_code", "schacPersonalUniqueCode"].find((one) => claims.has(one));
  const found = name === undefined ? [] : claims.get(name);
  return (isJsonArray(found) ? found : [found]).map((item) => parseEsi(textOf(item)));
}

function textOf(value: Json | undefined): string {
  if (typeof value !== "string" || value === "" || isLongerThan(value, MAX_TEXT_CHARS)) {
    return malformed("a claim is a text of 1 to 2,048 characters");
  }
  return isPlainText(value) ? value : malformed("a claim has control characters or white space around it");
}

function indexOf(value: Json | undefined): number {
  const index = integerOf(value);
  return index !== null && index >= 0 ? index : malformed("a status index is a number");
}

function objectOf(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : malformed("an object is expected");
}

function malformed(what: string): never {
  return refuse("MalformedCredential", what);
}
