/** What the screens decide without a browser: colours, cutting, whether a code may be shown, waiting. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { WalletCard } from "../src/model.ts";
import { clockFault, codeStateOf } from "../src/page/code_state.ts";
import { cardColours, contrastOf } from "../src/page/colours.ts";
import { cropOf, dragged, WHOLE } from "../src/page/crop.ts";
import { isPin, waitFor } from "../src/page/lock.ts";
import { addressOf, placeOf } from "../src/page/routing.ts";

const NOW = Date.parse("2026-11-23T12:00:00Z") / 1000;
const CODE = { escn: "", text: "", e1: new Uint8Array(), expiresAt: NOW + 1 };
const CARD: WalletCard = {
  id: "card",
  credentialIssuer: "https://wallet.example/1",
  cardUri: "https://wallet.example/device/card",
  facts: {
    escn: "25539be8-6423-103e-add8-001999853608",
    state: "active",
    reason: null,
    institution: { pic: "999853608", name: "Daugava University", country: "LV" },
    name: "Anna Bērziņa",
    academicLevel: null,
    issuedOn: "2026-09-01",
    expiresOn: "2026-11-23",
  },
  look: { backgroundColor: "#0b3d91", textColor: "#ffffff", logo: null },
  photo: null,
  ownPhoto: null,
  consent: null,
  codes: { status: CODE },
  configurations: [],
  esi: null,
  deviceName: null,
  updatedAt: NOW,
  clockAhead: 0,
  endedAs: null,
  notices: [],
};
const colour = fc.integer({ min: 0, max: 0xffffff }).map((one) => `#${one.toString(16).padStart(6, "0")}`);

describe("the card's colours", () => {
  it("are the institution's, as long as they can be read", () => {
    expect(cardColours("#7a1022", "#ffe9b0")).toMatchObject({ background: "#7a1022", text: "#ffe9b0" });
    expect(cardColours("#ffd166", "#ffffff").text).toBe("#10131a");
    expect(cardColours("red", "url(//evil)").background).toBe("#0b3d91");
  });

  it("can be read whatever the institution wants, at both ends of the shading", () => {
    fc.assert(
      fc.property(colour, colour, (background, text) => {
        const found = cardColours(background, text);
        expect(contrastOf(found.background, found.text)).toBeGreaterThanOrEqual(4.5);
        expect(contrastOf(found.shade, found.text)).toBeGreaterThanOrEqual(4.5);
      }),
    );
  });
});

describe("whether a code may be shown", () => {
  it("says the first reason why not", () => {
    const facts = CARD.facts;
    const states: [Partial<WalletCard>, string][] = [
      [{}, "shown"],
      [{ facts: { ...facts, state: "suspended" } }, "suspended"],
      [{ facts: { ...facts, state: "revoked" }, endedAs: "replaced" }, "revoked"],
      [{ facts: { ...facts, state: "revoked", reason: "erased", name: "" } }, "erased"],
      [{ facts: { ...facts, state: "expired" } }, "expired"],
      [{ facts: { ...facts, expiresOn: "2026-11-22" } }, "expired"],
      [{ endedAs: "by_staff" }, "ended"],
      [{ codes: { status: { ...CODE, expiresAt: NOW } } }, "code_expired"],
      [{ codes: {} }, "no_code"],
    ];
    for (const [change, state] of states)
      expect(codeStateOf({ ...CARD, ...change }, "status", NOW)).toBe(state);
  });

  it("a clock is wrong when verifiers would refuse, and not before", () => {
    const faults = [-26, -25, 0, 10, 11].map((clockAhead) => clockFault({ ...CARD, clockAhead }));
    expect(faults).toEqual(["clock_behind", null, null, null, "clock_ahead"]);
  });
});

describe("cutting a photo", () => {
  it("stays within the picture and two by three, however it is dragged", () => {
    const side = fc.integer({ min: 1, max: 9_000 });
    const move = fc.double({ min: -3, max: 3, noNaN: true });
    fc.assert(
      fc.property(side, side, fc.double({ min: 1, max: 4, noNaN: true }), move, move, (w, h, zoom, x, y) => {
        const start = { ...WHOLE, zoom };
        const crop = cropOf(dragged(start, cropOf(start, w, h), x, y), w, h);
        expect((crop.width * w) / (crop.height * h)).toBeCloseTo(2 / 3, 6);
        for (const [from, part] of [
          [crop.left, crop.width],
          [crop.top, crop.height],
        ] as const) {
          expect(from).toBeGreaterThanOrEqual(0);
          expect(from + part).toBeLessThanOrEqual(1 + 1e-9);
        }
      }),
    );
  });
});

describe("the lock", () => {
  it("takes four to twelve digits", () => {
    expect(["123", "1234", "123456789012", "1234567890123", "12a4", ""].map(isPin)).toEqual([
      false,
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  it("lets three failures pass, then makes one wait twice as long each time, up to an hour", () => {
    const waits = [0, 2, 3, 4, 5, 40].map((count) => waitFor({ count, at: 1_000 }, 1_000));
    expect(waits).toEqual([0, 0, 5, 10, 20, 3_600]);
    expect(waitFor({ count: 3, at: 1_000 }, 1_005)).toBe(0);
    // Setting the clock back does not help.
    expect(waitFor({ count: 3, at: 1_000 }, 500)).toBe(5);
  });
});

describe("places", () => {
  it("survive the address, and nonsense is the home screen", () => {
    const page = { at: "card-page", card: "a/b ü", page: "print" } as const;
    const taking = { at: "take", enrolment: "a/b ü" } as const;
    for (const place of [page, taking]) expect(placeOf(addressOf(place))).toEqual(place);
    for (const hash of ["", "#", "#/", "#/nowhere", "#/card", "#/take", "#%ff"]) {
      expect(placeOf(hash)).toEqual({ at: "home" });
    }
  });
});
