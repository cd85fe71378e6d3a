/** SD-JWT (RFC 9901): disclosures back into the payload, all of section 7.1. SHA-256 only. */

import { encodeUtf8, isLongerThan, sha256 } from "./bytes.ts";
import { refuse, refusingAs } from "./errors.ts";
import { isJsonArray, isJsonObject, parseJson, type Json, type JsonObject } from "./json.ts";
import { b64urlDecode, b64urlEncode } from "./jws.ts";

export const MAX_SD_JWT_CHARS = 32_768;
const MAX_DISCLOSURES = 64;
const MAX_DISCLOSURE_CHARS = 8_192;
const MAX_LEVELS = 16;

/** One disclosure: as text, and what it holds. `name` is null for an array's element. */
export interface Disclosure {
  readonly text: string;
  readonly digest: string;
  readonly name: string | null;
  readonly value: Json;
}

/** An SD-JWT taken apart: issuer's JWS, disclosures, key binding JWT or null. */
export interface SdJwt {
  readonly issuerJwt: string;
  readonly disclosures: readonly Disclosure[];
  readonly keyBindingJwt: string | null;
  readonly presentedWithoutKeyBinding: string; // what `sd_hash` is made of
}

/** Takes an SD-JWT apart without trusting any of it (RFC 9901, section 4). */
export async function parseSdJwt(text: string): Promise<SdJwt> {
  if (isLongerThan(text, MAX_SD_JWT_CHARS)) malformed("more than 32,768 characters");
  const [issuerJwt = "", ...rest] = text.split("~");
  const last = rest.pop();
  if (last === undefined || issuerJwt === "") return malformed("not an SD-JWT: no tilde");
  if (rest.length > MAX_DISCLOSURES) malformed("more than 64 disclosures");
  return {
    issuerJwt,
    disclosures: await Promise.all(rest.map(parseDisclosure)),
    keyBindingJwt: last === "" ? null : last,
    presentedWithoutKeyBinding: [issuerJwt, ...rest, ""].join("~"),
  };
}

/** The payload of a checked JWS with what is disclosed in its place (section 7.1, steps 3 to 5). */
export function reveal(payload: JsonObject, disclosures: readonly Disclosure[]): JsonObject {
  if (payload.has("_sd_alg") && payload.get("_sd_alg") !== "sha-256")
    malformed("the digests are not SHA-256");
  const revealing = new Revealing(disclosures);
  const members = [...payload].filter(([name]) => name !== "_sd_alg");
  const revealed = revealing.object(new Map(members), 1);
  if (!revealing.isAllReferredTo) malformed("a disclosure that nothing refers to");
  return revealed;
}

async function parseDisclosure(text: string): Promise<Disclosure> {
  if (text === "" || text.length > MAX_DISCLOSURE_CHARS) malformed("an empty or too long disclosure");
  const parts = refusingAs("MalformedCredential", "a disclosure is not strict JSON", () =>
    parseJson(b64urlDecode(text), 2),
  );
  if (!isJsonArray(parts) || (parts.length !== 2 && parts.length !== 3)) {
    return malformed("a disclosure is an array of two or three");
  }
  const name = parts.length === 3 ? parts[1] : null;
  if (typeof parts[0] !== "string" || (name !== null && typeof name !== "string")) {
    return malformed("a disclosure's salt and name are strings");
  }
  // An array of three with null for its name is one of two to no one.
  if (parts.length === 3 && name === null) malformed("a disclosure's name is a string");
  if (name === "_sd" || name === "...") malformed("a disclosure with a forbidden name");
  return { text, digest: await digestOf(text), name: name ?? null, value: parts.at(-1) ?? null };
}

/** The digest that stands for a disclosure in the payload (section 4.2.3). */
export async function digestOf(disclosureText: string): Promise<string> {
  return b64urlEncode(await sha256(encodeUtf8(disclosureText)));
}

class Revealing {
  readonly #byDigest: ReadonlyMap<string, Disclosure>;
  readonly #seen = new Set<string>();

  constructor(disclosures: readonly Disclosure[]) {
    this.#byDigest = new Map(disclosures.map((disclosure) => [disclosure.digest, disclosure]));
    if (this.#byDigest.size !== disclosures.length) malformed("a disclosure twice");
  }

  get isAllReferredTo(): boolean {
    return [...this.#byDigest.keys()].every((digest) => this.#seen.has(digest));
  }

  object(members: JsonObject, level: number): JsonObject {
    if (members.has("...")) malformed("an object with the member ...");
    const digests = members.has("_sd") ? members.get("_sd") : [];
    if (!isJsonArray(digests)) return malformed("_sd is an array of digests");
    const revealed = new Map<string, Json>();
    for (const [name, value] of members) {
      if (name !== "_sd") revealed.set(name, this.#value(value, level + 1));
    }
    for (const digest of digests) {
      const disclosure = this.#take(digest);
      if (disclosure === undefined) continue;
      if (disclosure.name === null || revealed.has(disclosure.name)) misplaced();
      revealed.set(disclosure.name, this.#value(disclosure.value, level + 1));
    }
    return revealed;
  }

  #value(value: Json, level: number): Json {
    if (level > MAX_LEVELS) malformed("disclosures nested too deep");
    if (isJsonObject(value)) return this.object(value, level);
    return isJsonArray(value) ? value.flatMap((item) => this.#element(item, level + 1)) : value;
  }

  // An array's element in a list of one, or of none when nothing is disclosed for it.
  #element(item: Json, level: number): Json[] {
    if (!isJsonObject(item) || item.size !== 1 || !item.has("...")) return [this.#value(item, level)];
    const disclosure = this.#take(item.get("..."));
    if (disclosure === undefined) return [];
    if (disclosure.name !== null) misplaced();
    return [this.#value(disclosure.value, level)];
  }

  #take(digest: Json | undefined): Disclosure | undefined {
    if (typeof digest !== "string" || this.#seen.has(digest))
      return malformed("a digest twice, or not a digest");
    this.#seen.add(digest);
    return this.#byDigest.get(digest);
  }
}

function misplaced(): never {
  return malformed("a disclosure that does not fit where it is referred to");
}

function malformed(what: string): never {
  return refuse("MalformedCredential", what);
}
