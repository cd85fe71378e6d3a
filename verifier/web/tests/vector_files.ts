/** Reading vector files (docs/vectors.md) and running one through the check. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { partsOf, verifyBundle, type Knowledge } from "../src/check/bundle.ts";
import { openParts } from "../src/check/bundle_on_demand.ts";
import { bytesToHex, hexToBytes, type Bytes } from "../src/check/bytes.ts";
import type { VerifiedCard } from "../src/check/checks.ts";
import { LEVELS, parseEscn, parseEsi, picOf, prefixOf } from "../src/check/identifiers.ts";
import { parseJsonObject } from "../src/check/json.ts";
import { parsePublicJwk } from "../src/check/jws.ts";
import type { PublicKey } from "../src/check/p256.ts";
import { CLAIMS, CREDENTIAL_TYPES, DEFAULT_POLICY, type Policy } from "../src/check/policy.ts";
import { joinParts } from "../src/check/presentation_qr.ts";
import { parseRequest } from "../src/check/presentation_request.ts";
import { InMemoryReplay } from "../src/check/replay.ts";
import { ownersOf, verifySignedStatus } from "../src/check/status_list_trust.ts";
import { parseStatusListToken } from "../src/check/status.ts";
import { parseChanges, takeChanges } from "../src/check/status_changes.ts";
import { amend, parseStatusDelta } from "../src/check/status_delta.ts";
import { verifyTrustList } from "../src/check/trust.ts";
import { verifyCard } from "../src/check/verify.ts";
import { verifyCredential } from "../src/check/verify_sd_jwt_vc.ts";

export const FOLDER = process.env["ESC_VECTORS"] ?? join(import.meta.dirname, "../../../tests/vectors");
const KNOWN_KEYS = [
  "check",
  "expect",
  "now",
  "bundle",
  "policy",
  "challenge",
  "shown_before",
  "audience",
  "nonce",
  "anchors",
  "least_sequence",
  "result",
  "comment",
];

export class VectorFile {
  readonly #headers: ReadonlyMap<string, string>;
  readonly payload: string;

  constructor(headers: ReadonlyMap<string, string>, payload: string) {
    this.#headers = headers;
    this.payload = payload;
  }

  /** A header that must be there. */
  get(key: string): string {
    const value = this.#headers.get(key);
    if (value === undefined) throw new Error(`the vector has no ${key}`);
    return value;
  }

  /** A header that may be missing. */
  find(key: string): string | undefined {
    return this.#headers.get(key);
  }

  get now(): number {
    return Number(this.get("now"));
  }

  get leastSequence(): number {
    return Number(this.find("least_sequence") ?? "0");
  }

  get anchors(): PublicKey[] {
    return (this.find("anchors") ?? "trust").split(" ").map(keyOf);
  }

  get policy(): Policy {
    const words = (this.find("policy") ?? "").split(" ").filter((word) => word !== "");
    return words.reduce(withWord, DEFAULT_POLICY);
  }
}

export function vectorPaths(): string[] {
  const folders = readdirSync(FOLDER, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const paths = folders.flatMap(({ name }) =>
    readdirSync(join(FOLDER, name)).map((file) => `${name}/${file}`),
  );
  return paths.filter((path) => path.endsWith(".txt")).sort();
}

export function readVector(path: string): VectorFile {
  return parseVector(readFileSync(join(FOLDER, path), "utf8"));
}

export function parseVector(text: string): VectorFile {
  const blank = text.indexOf("\n\n");
  if (blank < 0 || !text.slice(blank + 2).endsWith("\n")) throw new Error("not a vector file");
  const headers = new Map<string, string>();
  for (const line of text.slice(0, blank).split("\n")) {
    const [, key, value] = /^(.*?): (.*)$/.exec(line) ?? [];
    if (key === undefined || value === undefined || !KNOWN_KEYS.includes(key) || headers.has(key)) {
      throw new Error(`an unknown, repeated or empty header: ${line}`);
    }
    headers.set(key, value);
  }
  return new VectorFile(headers, text.slice(blank + 2, -1));
}

function withWord(policy: Policy, word: string): Policy {
  const [name = "", value = ""] = word.split("=");
  if (name === "live_only") return { ...policy, liveOnly: true };
  if (name === "identity_only") return { ...policy, identityOnly: true };
  if (name === "fresh_for") return { ...policy, freshFor: Number(value) };
  if (name === "stale_until") return { ...policy, staleUntil: Number(value) };
  const listed = new Set(value.split(","));
  if (name === "institutions") return { ...policy, institutions: listed };
  if (name === "countries") return { ...policy, countries: listed };
  if (name === "types")
    return { ...policy, types: new Set(CREDENTIAL_TYPES.filter((one) => listed.has(one))) };
  if (name === "levels") return { ...policy, levels: new Set(LEVELS.filter((one) => listed.has(one))) };
  if (name === "claims") return { ...policy, claims: new Set(CLAIMS.filter((one) => listed.has(one))) };
  throw new Error(`an unknown word of the policy: ${word}`);
}

const keys = readKeys();

function readKeys(): Map<string, PublicKey> {
  const { keys: found } = JSON.parse(readFileSync(join(FOLDER, "keys.json"), "utf8")) as {
    keys: Record<string, { jwk: Record<string, string> }>;
  };
  return new Map(Object.entries(found).map(([label, { jwk }]) => [label, publicKeyOf(jwk)]));
}

function publicKeyOf({ kty, crv, x, y }: Record<string, string>): PublicKey {
  const text = new TextEncoder().encode(JSON.stringify({ kty, crv, x, y }));
  return parsePublicJwk(parseJsonObject(text));
}

export function keyOf(label: string): PublicKey {
  const key = keys.get(label);
  if (key === undefined) throw new Error(`no key ${label}`);
  return key;
}

function labelOf(key: PublicKey): string | undefined {
  return [...keys].find(([, one]) => bytesToHex(one.x) === bytesToHex(key.x))?.[0];
}

const bundles = new Map<string, Promise<Knowledge>>();

export function readBundle(name: string): Bytes {
  return Uint8Array.from(readFileSync(join(FOLDER, "bundles", name)));
}

/** What the verifier knows from a bundle of the vectors. */
export function knowledgeOf(name: string, now: number): Promise<Knowledge> {
  const cached = `${name} ${now}`;
  const knowledge = bundles.get(cached) ?? verifyBundle(readBundle(name), { anchors: [keyOf("trust")], now });
  bundles.set(cached, knowledge);
  return knowledge;
}

type Know = typeof knowledgeOf;

/** The same, as it is when it was stored and is opened again. */
export async function openedAgain(name: string, now: number): Promise<Knowledge> {
  const cached = `${name} ${now} again`;
  const parts = partsOf(await knowledgeOf(name, now));
  const knowledge = bundles.get(cached) ?? openParts(parts, { anchors: [keyOf("trust")], now });
  bundles.set(cached, knowledge);
  return knowledge;
}

function cardSays(card: VerifiedCard): object {
  return {
    escn: card.escn,
    pic: card.institution.pic,
    name: card.name,
    esi: card.esi?.text ?? null,
    level: card.level,
    profile: card.profile,
    evidence: card.evidence,
    status_as_of: card.statusAsOf,
    freshness: card.freshness,
  };
}

async function checkCard(vector: VectorFile, know: Know): Promise<object> {
  const context = {
    knowledge: await know(vector.get("bundle"), vector.now),
    now: vector.now,
    policy: vector.policy,
    replay: new InMemoryReplay(),
    challenge: hexToBytes(vector.find("challenge") ?? ""),
  };
  if (vector.find("shown_before") === "yes") await verifyCard(vector.payload, context);
  return cardSays(await verifyCard(vector.payload, context));
}

async function checkCredential(vector: VectorFile, know: Know): Promise<object> {
  const [audience, nonce] = [vector.find("audience"), vector.find("nonce")];
  const asked = audience !== undefined && nonce !== undefined ? { audience, nonce } : undefined;
  const card = await verifyCredential(vector.payload, {
    knowledge: await know(vector.get("bundle"), vector.now),
    now: vector.now,
    policy: vector.policy,
    expectedKeyBinding: asked,
  });
  return cardSays(card);
}

async function checkTrustList({ payload, anchors, now, leastSequence }: VectorFile): Promise<object> {
  const trust = await verifyTrustList(payload, { anchors, now, leastSequence });
  return {
    sequence: trust.sequence,
    institutions: [...trust.institutions.keys()].sort(),
    anchors: trust.anchors.map(labelOf),
  };
}

async function checkBundle(vector: VectorFile, know: Know): Promise<object> {
  const { anchors, now, leastSequence } = vector;
  const known = vector.find("bundle");
  const previous = known === undefined ? undefined : await know(known, now);
  const data = Uint8Array.from(Buffer.from(vector.payload, "base64"));
  const knowledge = await verifyBundle(data, { anchors, now, leastSequence, previous });
  return {
    sequence: knowledge.trust.sequence,
    status_lists: Object.fromEntries(knowledge.statusLists.instants) as object,
    types: [...knowledge.typeMetadata.keys()].sort(),
    problems: knowledge.problems.length,
  };
}

function checkStatusList({ payload }: VectorFile): object {
  const { uri, issuedAt, expiresAt, ttl, entries } = parseStatusListToken(payload);
  const values = Array.from({ length: entries.size }, (_, i) => entries.valueAt(i));
  return { uri, iat: issuedAt, exp: expiresAt, ttl, bits: entries.width, entries: values };
}

async function checkStatusDelta(vector: VectorFile, know: Know): Promise<object> {
  const known = await know(vector.get("bundle"), vector.now);
  const delta = parseStatusDelta(vector.payload);
  await verifySignedStatus(delta, ownersOf(known.trust), vector.now);
  const after = await amend(await known.statusLists.find(delta.uri), delta);
  const { uri, issuedAt, expiresAt, ttl, entries } = after;
  const values = Array.from({ length: entries.size }, (_, i): [string, number] => [
    String(i),
    entries.valueAt(i) ?? 0,
  ]);
  const marked = Object.fromEntries(values.filter(([, value]) => value !== 0));
  const times = { uri, iat: issuedAt, exp: expiresAt, ttl };
  return { ...times, bits: entries.width, size: entries.size, entries: marked };
}

async function checkChanges(vector: VectorFile, know: Know): Promise<object> {
  const changes = parseChanges(Uint8Array.from(Buffer.from(vector.payload, "base64")));
  const known = await know(vector.get("bundle"), vector.now);
  const { taken, isEnough } = await takeChanges(changes, known, vector.now);
  return { taken: Object.fromEntries(taken), enough: isEnough };
}

function checkEsi({ payload }: VectorFile): object {
  const { scope, code, normal } = parseEsi(payload);
  return { scope, code, normal };
}

function checkEscn({ payload }: VectorFile): object {
  const escn = parseEscn(payload);
  return { escn, pic: picOf(escn), prefix: prefixOf(escn) };
}

async function checkPresentation({ payload }: VectorFile): Promise<object> {
  return { presentation: await joinParts(payload.split("\n")) };
}

function checkRequest({ payload }: VectorFile): object {
  return parseRequest(payload);
}

const CHECKS = new Map<string, (vector: VectorFile, know: Know) => object | Promise<object>>([
  ["card", checkCard],
  ["credential", checkCredential],
  ["trust-list", checkTrustList],
  ["bundle", checkBundle],
  ["status-list", checkStatusList],
  ["status-delta", checkStatusDelta],
  ["changes", checkChanges],
  ["esi", checkEsi],
  ["escn", checkEscn],
  ["presentation", checkPresentation],
  ["request", checkRequest],
]);

/** What a vector's payload says; throws the refusal. */
export async function checkVector(vector: VectorFile, know = knowledgeOf): Promise<object> {
  const check = CHECKS.get(vector.get("check"));
  if (check === undefined) throw new Error(`an unknown kind of check: ${vector.get("check")}`);
  return check(vector, know);
}
