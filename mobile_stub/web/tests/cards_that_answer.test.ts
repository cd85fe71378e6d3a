/** Which cards of a wallet may answer a request, and why none may. */

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { askedOf } from "../src/keeping/answering.ts";
import { WalletRefusal } from "../src/model.ts";
import type { CardRecord } from "../src/store/records.ts";
import { ROOT } from "./python.ts";

const NOW = 1_800_000_000; // of the vectors: 2027-01-15
const RUN_OUT = 1_802_505_600; // when the vectors' credential ends: 2027-02-13

function payloadOf(path: string): string {
  const text = readFileSync(join(ROOT, "tests/vectors", path), "utf8");
  return text.slice(text.indexOf("\n\n") + 2).trim();
}

const REQUEST = payloadOf("request/valid.txt");
const VALUE = payloadOf("sd_jwt_vc/valid_everything_disclosed.txt");

const CARD: CardRecord = {
  id: "one",
  credentialIssuer: "https://cards.example",
  addedAt: 0,
  credentials: { EuropeanStudentCard: { format: "dc+sd-jwt", value: VALUE } },
  device: null,
  facts: {
    escn: "d6a1e2f0-9c3b-11f0-8a5e-001999800001",
    state: "active",
    reason: null,
    institution: { pic: "999800001", name: "A", country: "LV" },
    name: "Līga Bērziņa",
    academicLevel: null,
    issuedOn: "2026-09-01",
    expiresOn: "2028-08-31",
  },
  look: { backgroundColor: "#000000", textColor: "#ffffff" },
  logo: null,
  photo: null,
  ownPhoto: null,
  consent: null,
  deviceName: null,
  updatedAt: NOW,
  clockAhead: 0,
  etag: null,
  renewal: null,
  endedAs: null,
  notices: [],
};
const SUSPENDED: CardRecord = { ...CARD, id: "two", facts: { ...CARD.facts, state: "suspended" } };
const CODE_ONLY: CardRecord = { ...CARD, id: "three", credentials: {} };

function refusalOf(cards: readonly CardRecord[], now = NOW): string {
  try {
    askedOf(cards, REQUEST, now);
    return "none";
  } catch (error) {
    if (error instanceof WalletRefusal) return error.refusal;
    throw error;
  }
}

describe("a request", () => {
  test.each([
    ["no card is here", [], NOW, "request-other-type"],
    ["the card has no such credential", [CODE_ONLY], NOW, "request-other-type"],
    ["the card is suspended", [CODE_ONLY, SUSPENDED], NOW, "card-not-active"],
    ["the card ended on this phone", [{ ...CARD, endedAs: "replaced" }], NOW, "device-ended"],
    ["the card's last day is over", [{ ...CARD, facts: { ...CARD.facts, expiresOn: "2027-01-14" } }], NOW, "card-not-active"], // prettier-ignore
    ["the credential has run out", [CARD], RUN_OUT, "credential-over"],
  ] as const)("is answered by nobody when %s", (_, cards, now, refusal) => {
    expect(refusalOf(cards, now)).toBe(refusal);
  });

  test("is answered by the cards that can, with what each would tell", () => {
    expect(refusalOf([CARD], RUN_OUT - 1)).toBe("none");
    const asked = askedOf([SUSPENDED, CARD, CODE_ONLY], REQUEST, NOW);
    expect(asked).toEqual({
      request: REQUEST,
      asker: 'Bibliotēka "Centrs"',
      answers: [
        {
          cardId: "one",
          claims: [
            { name: "name", value: "Līga Bērziņa" },
            {
              name: "schac_personal_unique_code",
              value: "urn:schac:personalUniqueCode:int:esi:lv:1234567890123456",
            },
          ],
          missing: [],
        },
      ],
    });
  });
});
