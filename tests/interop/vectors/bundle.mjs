// Status list tokens and the offline bundle (offline-bundle.md).

import { readDeltas, takeDelta } from "./delta.mjs";
import { decodeBase64url } from "./encodings.mjs";
import { unpackGzip, unpackZlib } from "./inflating.mjs";
import { isInteger, isObject, isString, readJsonObject, secondsOf } from "./json.mjs";
import { readJws } from "./jws.mjs";
import { sha256, verifies } from "./keys.mjs";
import { as, Refusal, refuse } from "./refusal.mjs";
import { checkKeyAt, verifyTrustList } from "./trust.mjs";

const MIB = 1024 * 1024;
const bad = (message) => refuse("MalformedDocument", message);
const seconds = (value) => secondsOf(value, "MalformedDocument");

export function readStatusList(token) {
  if ([...token].length > 16 * MIB) refuse("DocumentTooLarge");
  const jws = as("MalformedDocument", () => readJws(token, "statuslist+jwt", 16 * MIB));
  const { sub: uri, iat, status_list: body } = jws.payload;
  if (!isString(uri) || !isObject(body)) bad("sub and status_list");
  const { bits, lst } = body;
  if (!isInteger(bits) || ![1, 2, 4, 8].includes(bits) || !isString(lst)) bad("bits and lst");
  const optional = (name) => (name in jws.payload ? seconds(jws.payload[name]) : null);
  const times = { iat: seconds(iat), exp: optional("exp"), ttl: optional("ttl") };
  const packed = as("MalformedDocument", () => decodeBase64url(lst));
  const data = unpackZlib(packed, 10 * MIB);
  if (data.length === 0) bad("an empty list");
  return { uri, ...times, bits, data, size: (data.length * 8) / bits, jws };
}

export function statusAt(list, index) {
  const bit = index * list.bits;
  return (list.data[Math.floor(bit / 8)] >> (bit % 8)) & ((1 << list.bits) - 1);
}

// Section 2, step 2: refuses a list, or a delta, that the trust list does not cover.
export async function checkSigned(list, institution, now) {
  const key = institution?.keys.find((one) => one.kid === list.jws.header.kid);
  if (key === undefined) refuse("DocumentUntrusted");
  checkKeyAt(key, list.iat);
  if (list.iat > now + 60) refuse("DocumentFromFuture");
  if (!(await verifies(key.key, list.jws.signature, list.jws.message))) refuse("DocumentUntrusted");
}

async function isTaken(check) {
  try {
    await check();
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

function readBundle(text) {
  const body = as("MalformedDocument", () => readJsonObject(text));
  const { version, trust_list: trustList, status_lists: lists, type_metadata: types } = body;
  if (version !== 1 || !isString(trustList)) bad("version and trust_list");
  if (!Array.isArray(lists) || !isObject(types)) bad("status_lists and type_metadata");
  if (lists.length > 20_000) refuse("DocumentTooLarge");
  if (![...lists, ...Object.values(types)].every(isString)) bad("parts are texts");
  return { trustList, lists, types, deltas: "status_deltas" in body ? readDeltas(body.status_deltas) : [] };
}

async function takeTypes(types, trust) {
  const taken = [];
  for (const [vct, text] of Object.entries(types)) {
    const digest = Buffer.from(await sha256(new TextEncoder().encode(text))).toString("base64");
    if (trust.types.get(vct) === `sha256-${digest}`) taken.push(vct);
  }
  return taken.sort();
}

export async function verifyBundle(data, { anchors, now, leastSequence, previous }) {
  if (data.length > 16 * MIB) refuse("DocumentTooLarge");
  const { trustList, lists, types, deltas } = readBundle(unpackGzip(data, 64 * MIB));
  const trust = await verifyTrustList(trustList, { anchors, now, leastSequence });
  const owners = new Map(trust.institutions.flatMap((one) => [...one.lists.values()].map((uri) => [uri, one])));
  const known = new Map();
  for (const list of previous?.lists.values() ?? []) {
    const [signed, owner] = [list.signed ?? list, owners.get(list.uri)];
    if (!(await isTaken(() => checkSigned(signed, owner, now)))) continue;
    const isChanged = list.delta && (await isTaken(() => checkSigned(list.delta, owner, now)));
    known.set(list.uri, isChanged ? list : signed);
  }
  let problems = 0;
  for (const token of lists) {
    const take = async () => {
      const list = readStatusList(token);
      await checkSigned(list, owners.get(list.uri), now);
      if ((known.get(list.uri)?.iat ?? 0) <= list.iat) known.set(list.uri, list);
    };
    if (!(await isTaken(take))) problems += 1;
  }
  for (const token of deltas) {
    const take = async () => {
      try {
        await takeDelta(token, known, owners, now);
      } catch (error) {
        if (error.name !== "DocumentRolledBack") throw error;
      }
    };
    if (!(await isTaken(take))) problems += 1;
  }
  const taken = await takeTypes(types, trust);
  problems += Object.keys(types).length - taken.length;
  return { trust, owners, lists: known, types: taken, problems };
}
