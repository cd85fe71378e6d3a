/** What was known binds what comes, also after its trust list has ended. */

import { expect, it } from "vitest";

import { verifyBundle } from "../src/check/bundle.ts";
import { keyOf, readBundle } from "./vector_files.ts";

const NOW = 1_800_000_000;
const AFTER = NOW + 365 * 86_400;
const anchors = [keyOf("trust")];

it("a trust list that has ended still keeps older status lists out", async () => {
  const later = readBundle("later.escbundle");
  await expect(verifyBundle(later, { anchors, now: AFTER })).rejects.toThrow(/past its end/);

  const previous = await verifyBundle(later, { anchors, now: AFTER, mayHaveEnded: true });
  const usual = readBundle("usual.escbundle");
  const [alone, after] = [
    await verifyBundle(usual, { anchors, now: NOW }),
    await verifyBundle(usual, { anchors, now: NOW, previous }),
  ];

  const newer = [...previous.statusLists.instants].filter(
    ([uri, issuedAt]) => issuedAt > (alone.statusLists.instants.get(uri) ?? 0),
  );
  expect(newer.length).toBeGreaterThan(0);
  for (const [uri, issuedAt] of newer) expect(after.statusLists.instants.get(uri)).toBe(issuedAt);
});
