/** Garbage in: one of our refusals out, in bounded time. */

import { gzipSync } from "node:zlib";

import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";

import { decodeBase32, encodeBase32 } from "../src/check/base32.ts";
import { verifyBundle, type Knowledge } from "../src/check/bundle.ts";
import { countCharacters, isLongerThan } from "../src/check/bytes.ts";
import { readCbor } from "../src/check/cbor.ts";
import { CardError } from "../src/check/errors.ts";
import { parseEscn, parseEsi } from "../src/check/identifiers.ts";
import { parseJson } from "../src/check/json.ts";
import { b64urlDecode, b64urlEncode } from "../src/check/jws.ts";
import { parseStatusListToken } from "../src/check/status.ts";
import { parseChanges } from "../src/check/status_changes.ts";
import { parseStatusDelta } from "../src/check/status_delta.ts";
import { verifyTrustList } from "../src/check/trust.ts";
import { verifyCard } from "../src/check/verify.ts";
import { verifyCredential } from "../src/check/verify_sd_jwt_vc.ts";
import { limits } from "./limits.ts";
import { keyOf, knowledgeOf, readBundle, readVector } from "./vector_files.ts";

const NOW = 1_800_000_000;
const MOST_MS = 50; // of the processor, for one check of garbage
let knowledge: Knowledge;

beforeAll(async () => {
  knowledge = await knowledgeOf("usual.escbundle", NOW);
});

/** Runs a check; whatever it throws must be a refusal of ours, and soon. */
async function refusesOrTakes(check: () => unknown): Promise<void> {
  // Once it may be tidying up what others left; an input that is slow is slow each time.
  let least = Infinity;
  for (let run = 0; run < 5 && least >= MOST_MS; run += 1) least = Math.min(least, await timeOf(check));
  expect(least).toBeLessThan(MOST_MS);
}

/** Of the processor, since a busy machine lets us wait. */
async function timeOf(check: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  try {
    await check();
  } catch (error) {
    if (!(error instanceof CardError)) throw error;
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** One change to a valid text: a letter put in, taken away or replaced, or a piece doubled. */
function damaged(text: string): fc.Arbitrary<string> {
  const letter = fc.oneof(
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
    fc.constantFrom("A", "2", "~", ".", "#", "=", "_", "-"),
  );
  const place = fc.nat({ max: text.length });
  return fc.oneof(
    fc.tuple(place, letter).map(([at, one]) => text.slice(0, at) + one + text.slice(at + 1)),
    fc.tuple(place, letter).map(([at, one]) => text.slice(0, at) + one + text.slice(at)),
    fc
      .tuple(place, place)
      .map(([from, to]) => text.slice(0, Math.max(from, to)) + text.slice(Math.min(from, to))),
    place.map((at) => text.slice(0, at)),
  );
}

const anything = fc.oneof(
  fc.string({ unit: "binary", maxLength: 1_000 }),
  fc.string({ unit: "grapheme", maxLength: 300 }),
  fc
    .uint8Array({ maxLength: 400 })
    .map((data) => `https://esc.gg/d6a1e2f0-9c3b-11f0-8a5e-001999800001#E1${encodeBase32(data)}`),
  fc
    .uint8Array({ maxLength: 400 })
    .map((data) => `https://esc.gg/d6a1e2f0-9c3b-11f0-8a5e-001999800001#E2${encodeBase32(data)}`),
);

describe("a refusal of ours, or an answer, for", () => {
  const code = readVector("esc_qr/valid_live_identity.txt").payload;
  const credential = readVector("sd_jwt_vc/valid_everything_disclosed.txt").payload;
  const trustList = readVector("trust_list/valid.txt").payload;
  const delta = readVector("status_delta/valid.txt").payload;
  const gzip = (text: string) => Uint8Array.from(gzipSync(text));
  const statusList = readVector("status_list/valid_2_bits.txt").payload;

  it("a damaged code", async () => {
    const check = (text: string) => refusesOrTakes(() => verifyCard(text, { knowledge, now: NOW }));
    await fc.assert(fc.asyncProperty(fc.oneof(damaged(code), anything), check), limits(3_000));
  });

  it("a damaged credential", async () => {
    const check = (text: string) => refusesOrTakes(() => verifyCredential(text, { knowledge, now: NOW }));
    await fc.assert(fc.asyncProperty(fc.oneof(damaged(credential), anything), check), limits(3_000));
  });

  it("a damaged trust list", async () => {
    const anchors = [keyOf("trust")];
    const check = (text: string) => refusesOrTakes(() => verifyTrustList(text, { anchors, now: NOW }));
    await fc.assert(fc.asyncProperty(fc.oneof(damaged(trustList), anything), check), limits(500));
  });

  it("a damaged status list", async () => {
    const check = (text: string) => refusesOrTakes(() => parseStatusListToken(text));
    await fc.assert(fc.asyncProperty(fc.oneof(damaged(statusList), anything), check), limits(1_000));
  });

  it("a damaged delta of a status list", async () => {
    const check = (text: string) => refusesOrTakes(() => parseStatusDelta(text));
    await fc.assert(fc.asyncProperty(fc.oneof(damaged(delta), anything), check), limits(1_000));
  });

  it("a document of changes that holds anything", async () => {
    const member = fc.oneof(damaged(delta), fc.jsonValue());
    const documents = fc.record(
      {
        version: fc.oneof(fc.constant(1), fc.jsonValue()),
        sequence: fc.jsonValue(),
        since: fc.jsonValue(),
        status_deltas: fc.array(member),
      },
      { requiredKeys: [] },
    );
    const check = (content: object) => refusesOrTakes(() => parseChanges(gzip(JSON.stringify(content))));
    await fc.assert(fc.asyncProperty(documents, check), limits(500));
  });

  it("a bundle cut at every byte", async () => {
    const data = readBundle("usual.escbundle");
    const anchors = [keyOf("trust")];
    for (let size = 0; size < data.length; size += 1) {
      const refusal = verifyBundle(data.subarray(0, size), { anchors, now: NOW });
      await expect(refusal).rejects.toMatchObject({ refusal: "MalformedDocument" });
    }
  });

  it("any bytes as CBOR, JSON or a bundle", async () => {
    const check = async (data: Uint8Array) => {
      const bytes = Uint8Array.from(data);
      await refusesOrTakes(() => readCbor(bytes));
      await refusesOrTakes(() => parseJson(bytes));
      await refusesOrTakes(() => verifyBundle(bytes, { anchors: [keyOf("trust")], now: NOW }));
    };
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), check), limits(2_000));
  });

  it("any text as an identifier", async () => {
    const check = async (text: string) => {
      await refusesOrTakes(() => parseEsi(text));
      await refusesOrTakes(() => parseEsi(`urn:schac:personalUniqueCode:int:esi:${text}`));
      await refusesOrTakes(() => parseEscn(text));
    };
    await fc.assert(fc.asyncProperty(anything, check), limits(1_000));
  });

  it.each([
    ["JSON nested deep", "[".repeat(100_000)],
    ["a JSON text of a million escapes", `["${"\\u0041".repeat(1_000_000)}"]`],
    ["a JSON text of 16 MiB", `["${"a".repeat(16 << 20)}"]`],
  ])("%s", (_, text) => {
    const read = () => parseJson(new TextEncoder().encode(text));
    if (text.endsWith("]")) expect(read()).toHaveLength(1);
    else expect(read).toThrow(CardError);
  });
});

describe("one spelling for each byte string", () => {
  it("in base32", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (data) => {
        expect(Buffer.from(decodeBase32(encodeBase32(data)))).toEqual(Buffer.from(data));
      }),
    );
  });

  it("in base64url", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (data) => {
        expect(b64urlEncode(data)).toBe(Buffer.from(data).toString("base64url"));
        expect(Buffer.from(b64urlDecode(b64urlEncode(data)))).toEqual(Buffer.from(data));
      }),
    );
  });

  it("whatever is read is written the same", () => {
    const text = fc.string({
      unit: fc.constantFrom("A", "B", "Z", "2", "7", "a", "w", "x", "_", "-"),
      maxLength: 20,
    });
    fc.assert(
      fc.property(text, (spelling) => {
        for (const [decode, encode] of [
          [decodeBase32, encodeBase32],
          [b64urlDecode, b64urlEncode],
        ] as const) {
          try {
            expect(encode(decode(spelling))).toBe(spelling);
          } catch (error) {
            expect(error).toBeInstanceOf(CardError);
          }
        }
      }),
      limits(3_000),
    );
  });
});

it("counts characters as Python does", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 40 }), fc.nat({ max: 60 }), (text, most) => {
      expect(countCharacters(text)).toBe(Array.from(text).length);
      expect(isLongerThan(text, most)).toBe(Array.from(text).length > most);
    }),
  );
});
