// Runs every file of tests/vectors through an implementation of the documents in plain JavaScript.
//
//     node tests/interop/vectors/check.mjs [FOLDER]
//
// One line for each difference, then a count; exit code 1 when there is any. Node 20, no packages.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";

import { readStatusList, statusAt, verifyBundle } from "./bundle.mjs";
import { verifyCredential } from "./credential_steps.mjs";
import { readChanges, takeChanges, takeDelta } from "./delta.mjs";
import { hexToBytes } from "./encodings.mjs";
import { normalOf, picOf, readEscn, readEsi } from "./identifiers.mjs";
import { joinParts, readRequest } from "./presentation.mjs";
import { Refusal } from "./refusal.mjs";
import { verifyCard } from "./steps.mjs";
import { verifyTrustList } from "./trust.mjs";
import { readVector } from "./vector.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const FOLDER = process.argv[2] ?? join(HERE, "..", "..", "vectors");
const { keys } = JSON.parse(readFileSync(join(FOLDER, "keys.json"), "utf8"));
const publicKeys = Object.entries(keys).map(([label, { jwk: { x, y } }]) => [label, { x, y }]);
const keyOf = new Map(publicKeys);
const labelOf = new Map(publicKeys.map(([label, { x }]) => [x, label]));
const bundles = new Map();

async function knowledgeOf(name, now) {
  const cached = `${name} ${now}`;
  if (!bundles.has(cached)) {
    const data = readFileSync(join(FOLDER, "bundles", name));
    bundles.set(cached, await verifyBundle(data, { anchors: [keyOf.get("trust")], now, leastSequence: 0 }));
  }
  return bundles.get(cached);
}

const checks = {
  async card({ headers, payload, now, policy }) {
    const knowledge = await knowledgeOf(headers.bundle, now);
    const challenge = hexToBytes(headers.challenge ?? "");
    const known = { knowledge, now, policy, challenge, memory: new Set() };
    if (headers.shown_before === "yes") await verifyCard(payload, known);
    return verifyCard(payload, known);
  },

  async credential({ headers, payload, now, policy }) {
    const knowledge = await knowledgeOf(headers.bundle, now);
    const asked = "audience" in headers ? { audience: headers.audience, nonce: headers.nonce } : null;
    return verifyCredential(payload, { knowledge, now, policy, asked });
  },

  async "trust-list"({ payload, now, anchors, leastSequence }) {
    const trusted = anchors.map((label) => keyOf.get(label));
    const trust = await verifyTrustList(payload, { anchors: trusted, now, leastSequence });
    const institutions = trust.institutions.map((one) => one.pic).sort();
    return { sequence: trust.sequence, institutions, anchors: trust.anchors.map(({ x }) => labelOf.get(x)) };
  },

  async bundle({ headers, payload, now, anchors, leastSequence }) {
    const previous = headers.bundle && (await knowledgeOf(headers.bundle, now));
    const trusted = anchors.map((label) => keyOf.get(label));
    const known = { anchors: trusted, now, leastSequence, previous };
    const { trust, lists, types, problems } = await verifyBundle(Buffer.from(payload, "base64"), known);
    const statusLists = Object.fromEntries([...lists].map(([uri, list]) => [uri, list.iat]));
    return { sequence: trust.sequence, status_lists: statusLists, types, problems };
  },

  async "status-list"({ payload }) {
    const { uri, iat, exp, ttl, bits, ...list } = readStatusList(payload);
    const entries = Array.from({ length: list.size }, (_, i) => statusAt({ bits, ...list }, i));
    return { uri, iat, exp, ttl, bits, entries };
  },

  async "status-delta"({ headers, payload, now }) {
    const { lists, owners } = await knowledgeOf(headers.bundle, now);
    const { uri, iat, exp, ttl, bits, size, ...list } = await takeDelta(payload, new Map(lists), owners, now);
    const all = Array.from({ length: size }, (_, i) => [i, statusAt({ bits, ...list }, i)]);
    const entries = Object.fromEntries(all.filter(([, value]) => value !== 0));
    return { uri, iat, exp, ttl, bits, size, entries };
  },

  async changes({ headers, payload, now }) {
    const changes = readChanges(Buffer.from(payload, "base64"));
    return takeChanges(changes, await knowledgeOf(headers.bundle, now), now);
  },

  async esi({ payload }) {
    const esi = readEsi(payload);
    return { scope: esi.scope, code: esi.code, normal: normalOf(esi) };
  },

  async escn({ payload }) {
    const escn = readEscn(payload);
    return { escn, pic: picOf(escn), prefix: escn.slice(24, 27) };
  },

  async presentation({ payload }) {
    return { presentation: joinParts(payload.split("\n")) };
  },

  async request({ payload }) {
    return readRequest(payload);
  },
};

// What is wrong with a vector's answer, or nothing.
async function differenceOf(vector) {
  const { check, expect, result } = vector.headers;
  try {
    const answer = await checks[check](vector);
    if (expect !== "valid") return `expected ${expect}, but it is valid`;
    if (!isDeepStrictEqual(answer, JSON.parse(result))) return `it says ${JSON.stringify(answer)}`;
  } catch (error) {
    if (!(error instanceof Refusal)) return `${error.stack}`;
    if (error.name !== expect) return `expected ${expect}, but it is ${error.name}: ${error.message}`;
  }
  return null;
}

// A case in stages (vectors.md, section 5) is a vector of a scanned text, and says every step.
function vectorOfCase({ context, stages, expected }) {
  const headers = {
    check: "card",
    expect: expected.outcome,
    now: context.now,
    bundle: context.bundle,
    ...(context.policy && { policy: context.policy }),
    ...(context.challenge && { challenge: context.challenge }),
    ...(context.shown_before && { shown_before: "yes" }),
    ...(expected.result && { result: JSON.stringify(expected.result) }),
  };
  const head = Object.entries(headers).map(([key, value]) => `${key}: ${value}\n`).join("");
  return readVector(Buffer.from(`${head}\n${stages.text}\n`));
}

const readers = {
  ".txt": readVector,
  ".json": (data) => vectorOfCase(JSON.parse(data.toString("utf8"))),
};

let count = 0;
let differences = 0;
for (const kind of readdirSync(FOLDER, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
  for (const name of readdirSync(join(FOLDER, kind.name)).sort()) {
    const read = readers[extname(name)];
    if (read === undefined) continue;
    const difference = await differenceOf(read(readFileSync(join(FOLDER, kind.name, name))));
    count += 1;
    if (difference === null) continue;
    differences += 1;
    console.log(`${kind.name}/${name}: ${difference}`);
  }
}
console.log(`${count} vectors, ${differences} differences`);
process.exitCode = differences > 0 || count === 0 ? 1 : 0;
