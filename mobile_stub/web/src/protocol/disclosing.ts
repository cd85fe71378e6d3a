/**
 * The answer to a request: which credential, what it would disclose, and this phone's signature
 * over just that (RFC 9901, sections 4.3 and 7.2; docs/presentation-qr.md, section 3).
 */

import { base64url, fromBase64url } from "../codes/base64url.ts";
import { sign } from "../codes/device_key.ts";
import { SD_JWT_VC, sdJwtClaims, type Credential } from "./credentials.ts";
import { isArray, parseJson, type Json } from "./json.ts";
import { alternativesOf, type Alternative, type PresentationRequest } from "./request.ts";
import { printable } from "./texts.ts";

/** A credential that was asked for, and what it would disclose. */
export interface Answerable {
  /** What the institution signed. */
  readonly issuerJwt: string;
  /** Texts of the disclosures by the names of their claims, in the credential's order. */
  readonly disclosures: ReadonlyMap<string, string>;
  /** What they say, for the student to read. */
  readonly values: ReadonlyMap<string, string>;
  /** What is asked for and not in the credential. */
  readonly missing: readonly string[];
  readonly expiresAt: number;
}

/**
 * The credential among these of a type that will do; undefined when there is none. Of several ways to
 * answer, the first that says all that is asked for; otherwise the first.
 */
export function answerable(
  credentials: Iterable<Credential>,
  request: PresentationRequest,
): Answerable | undefined {
  const held = [...credentials];
  const answers = alternativesOf(request)
    .flatMap((asked) => held.map((credential) => answerOf(credential, asked)))
    .filter((answer) => answer !== undefined);
  return answers.find(({ missing }) => missing.length === 0) ?? answers[0];
}

function answerOf({ format, value }: Credential, asked: Alternative): Answerable | undefined {
  if (format !== SD_JWT_VC || typeof value !== "string") return undefined;
  const claims = sdJwtClaims(value);
  const { vct, exp } = claims;
  if (typeof vct !== "string" || !asked.types.includes(vct) || typeof exp !== "number") return undefined;
  const [issuerJwt = "", ...texts] = value.split("~").slice(0, -1);
  const disclosed = texts.map(opened).filter(({ name }) => asked.claims.includes(name));
  return {
    issuerJwt,
    disclosures: new Map(disclosed.map(({ name, text }) => [name, text])),
    values: new Map(disclosed.map(({ name, says }) => [name, shownValue(says)])),
    missing: asked.claims.filter((name) => !Object.hasOwn(claims, name)),
    expiresAt: exp,
  };
}

/** The SD-JWT with key binding, for this request and no other; discloses no more than was agreed. */
export async function presentation(
  answer: Answerable,
  request: PresentationRequest,
  agreed: { readonly claims: readonly string[]; readonly key: CryptoKey; readonly now: number },
): Promise<string> {
  const chosen = [...answer.disclosures].filter(([name]) => agreed.claims.includes(name));
  const presented = [answer.issuerJwt, ...chosen.map(([, text]) => text), ""].join("~");
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(presented));
  const payload = {
    iat: agreed.now,
    aud: request.audience,
    nonce: request.nonce,
    sd_hash: base64url(new Uint8Array(digest)),
  };
  const signingInput = `${encoded({ alg: "ES256", typ: "kb+jwt" })}.${encoded(payload)}`;
  const signature = await sign(agreed.key, new TextEncoder().encode(signingInput));
  return `${presented}${signingInput}.${base64url(signature)}`;
}

interface Disclosure {
  readonly text: string;
  /** Empty for an element of a list, which nobody can ask for. */
  readonly name: string;
  readonly says: Json;
}

function opened(text: string): Disclosure {
  const disclosure = parseJson(fromBase64url(text) ?? "");
  const [, name, says] = isArray(disclosure) && disclosure.length === 3 ? disclosure : [];
  return { text, name: typeof name === "string" ? name : "", says: says ?? null };
}

/** All of it: what cannot be shown must not be agreed to. */
function shownValue(value: Json): string {
  if (typeof value === "string") return printable(value, Infinity);
  const isTexts = isArray(value) && value.every((one) => typeof one === "string");
  return printable(isTexts ? value.join(", ") : JSON.stringify(value), Infinity);
}

function encoded(value: object): string {
  return base64url(new TextEncoder().encode(JSON.stringify(value)));
}
