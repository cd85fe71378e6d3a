/** A bundle that is opened again: the same answers as at the first time, paid for later. */

import { describe, expect, it } from "vitest";

import { partsOf, verifyBundle, type BundleParts, type Knowledge } from "../src/check/bundle.ts";
import { openParts } from "../src/check/bundle_on_demand.ts";
import { CardError } from "../src/check/errors.ts";
import { parseStatusListToken } from "../src/check/status.ts";
import { verifyCard } from "../src/check/verify.ts";
import { checkVector, keyOf, knowledgeOf, openedAgain, readBundle, readVector, vectorPaths } from "./vector_files.ts"; // prettier-ignore

const NOW = 1_800_000_000;
const CARD = readVector("esc_qr/valid_static_status.txt").payload;
const expected = { anchors: [keyOf("trust")], now: NOW };

const paths = vectorPaths().filter((path) => readVector(path).find("bundle") !== undefined);

it("answers every vector as what was just taken in does", async () => {
  for (const path of paths) {
    const vector = readVector(path);
    const answer = await checkVector(vector, openedAgain).catch((error: unknown) => {
      if (error instanceof CardError) return error.refusal;
      throw error;
    });
    const wanted = vector.get("expect");
    expect([path, answer]).toEqual([path, wanted === "valid" ? JSON.parse(vector.get("result")) : wanted]);
  }
});

async function partsIn(name: string): Promise<BundleParts> {
  return partsOf(await knowledgeOf(name, NOW));
}

/** With another signature, of the right form, on the texts of one address. */
function forged(texts: readonly string[], uri: string): string[] {
  const signature = `.${"A".repeat(86)}`;
  return texts.map((text) => (uriOf(text) === uri ? text.replace(/\.[^.]*$/, signature) : text));
}

function uriOf(text: string): string {
  const payload = Buffer.from(text.split(".")[1] ?? "", "base64url").toString();
  return (JSON.parse(payload) as { sub: string }).sub;
}

async function refusalOf(text: string, knowledge: Knowledge): Promise<string> {
  try {
    await verifyCard(text, { knowledge, now: NOW });
    return "valid";
  } catch (error) {
    if (error instanceof CardError) return error.refusal;
    throw error;
  }
}

describe("a stored list that was changed", () => {
  it("is as one that is not there, each time, and the others stay", async () => {
    const parts = await partsIn("usual.escbundle");
    for (const text of parts.statusLists) {
      const uri = parseStatusListToken(text).uri;
      const known = await openParts({ ...parts, statusLists: forged(parts.statusLists, uri) }, expected);
      for (const one of [uri, uri]) expect(await known.statusLists.find(one)).toBeUndefined();
      const others = [...known.statusLists.instants.keys()].filter((one) => one !== uri);
      for (const other of others) expect(await known.statusLists.find(other)).toBeDefined();
    }
    const all = parts.statusLists.map((text) => text.replace(/\.[^.]*$/, `.${"A".repeat(86)}`));
    expect(await refusalOf(CARD, await openParts(parts, expected))).toBe("valid");
    expect(await refusalOf(CARD, await openParts({ ...parts, statusLists: all }, expected))).toBe(
      "StatusUnknown",
    );
  });

  it("keeps no other out: what is taken in later counts", async () => {
    const later = await partsIn("later.escbundle");
    const all = later.statusLists.map((text) => text.replace(/\.[^.]*$/, `.${"A".repeat(86)}`));
    const previous = await openParts({ ...later, statusLists: all }, expected);
    const usual = readBundle("usual.escbundle");
    const [alone, after, honest] = [
      await verifyBundle(usual, expected),
      await verifyBundle(usual, { ...expected, previous }),
      await verifyBundle(usual, { ...expected, previous: await openParts(later, expected) }),
    ];
    expect([...previous.statusLists.instants.values()]).not.toEqual([...alone.statusLists.instants.values()]);
    expect(after.statusLists.instants).toEqual(alone.statusLists.instants);
    expect(honest.statusLists.instants).not.toEqual(alone.statusLists.instants);
  });
});

it("a stored delta that was changed leaves its list as it was signed", async () => {
  const parts = await partsIn("changed.escbundle");
  const [delta = ""] = parts.statusDeltas ?? [];
  const uri = uriOf(delta);
  const bad = await openParts({ ...parts, statusDeltas: forged([delta], uri) }, expected);
  const good = await openParts(parts, expected);
  const [before, after] = [await bad.statusLists.find(uri), await good.statusLists.find(uri)];
  expect(after?.delta).not.toBeNull();
  expect(before).toEqual(after?.base);
  expect(before?.issuedAt).toBeLessThan(after?.issuedAt ?? 0);
});
