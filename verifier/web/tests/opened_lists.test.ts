/** Status lists that are opened when they are asked for, and make room for others. */

import { generateKeyPairSync, sign } from "node:crypto";
import { deflateSync } from "node:zlib";

import { expect, it } from "vitest";

import { StatusLists, type PackedList } from "../src/check/held_lists.ts";
import { b64urlDecode, b64urlEncode } from "../src/check/jws.ts";
import { PublicKey } from "../src/check/p256.ts";

// Compared by `===`: `toBe` of two lists that differ would walk through all of their entries.
const MIB = 1024 * 1024; // of entries; 8 of them may be open at a time
const ISSUED_AT = 1_800_000_000;
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const { x = "", y = "" } = publicKey.export({ format: "jwk" });
const KEY = new PublicKey(b64urlDecode(x), b64urlDecode(y));

function packed(uri: string, size: number): PackedList {
  const lst = b64urlEncode(deflateSync(new Uint8Array(size)));
  const claims = { sub: uri, iat: ISSUED_AT, status_list: { bits: 2, lst } };
  const parts = [{ typ: "statuslist+jwt", alg: "ES256" }, claims].map((part) =>
    b64urlEncode(new TextEncoder().encode(JSON.stringify(part))),
  );
  const signed = parts.join(".");
  const signature = sign("sha256", Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" });
  return { uri, issuedAt: ISSUED_AT, text: `${signed}.${b64urlEncode(signature)}`, key: KEY, deltas: [] };
}

function listsOf(sizes: Record<string, number>): StatusLists {
  const all = Object.entries(sizes).map(([uri, size]) => [uri, packed(uri, size)] as const);
  return new StatusLists(new Map(), new Map(all));
}

it("opens no list a second time while all that are open have at most 8 MiB of entries", async () => {
  const lists = listsOf({ one: 4 * MIB, two: 4 * MIB });
  const [one, two] = [await lists.find("one"), await lists.find("two")];

  expect([one?.uri, two?.uri]).toEqual(["one", "two"]);
  expect((await lists.find("one")) === one).toBe(true);
  expect((await lists.find("two")) === two).toBe(true);
});

it("lets the list go that was asked for longest ago, and opens it again as it was", async () => {
  const lists = listsOf({ one: 3 * MIB, two: 3 * MIB, three: 3 * MIB });
  const [one, two] = [await lists.find("one"), await lists.find("two")];
  expect((await lists.find("one")) === one).toBe(true); // so the second is the one that makes room

  const three = await lists.find("three");

  expect((await lists.find("one")) === one).toBe(true);
  expect((await lists.find("three")) === three).toBe(true);
  const again = await lists.find("two");
  expect(again === two).toBe(false);
  expect([again?.uri, again?.entries.size]).toEqual(["two", two?.entries.size]);
  expect(lists.size).toBe(3);
});

it("keeps a list that alone has more, and lets all others go", async () => {
  const lists = listsOf({ small: 8, large: 9 * MIB });
  const [small, large] = [await lists.find("small"), await lists.find("large")];

  expect((await lists.find("large")) === large).toBe(true);
  expect((await lists.find("small")) === small).toBe(false);
});
