/** What the page asks a phone for, and what it cannot ask for. */

import { describe, expect, it } from "vitest";

import { DEFAULT_POLICY, type CredentialType } from "../src/check/policy.ts";
import { Asking } from "../src/page/asking.ts";

const CARD = "https://esc.example/types/european-student-card/v1";
const STUDENT_ID = "VerifiableStudentID";

function only(type: CredentialType): typeof DEFAULT_POLICY {
  return { ...DEFAULT_POLICY, types: new Set([type]) };
}

describe("a service that takes cards only", () => {
  it("asks for nothing where the lists name no card, and what was asked before is over", () => {
    const asking = new Asking(() => 1_000);
    expect(asking.ask("Canteen", [CARD], ["name"], only("EuropeanStudentCard"))).not.toBe(null);
    for (const types of [[STUDENT_ID], []]) {
      expect(asking.ask("Canteen", types, ["name"], only("EuropeanStudentCard"))).toBe(null);
      expect(asking.asked).toBe(null);
      expect(asking.binding).toBe(undefined);
    }
  });

  it("asks for its cards and nothing else where the lists name both", () => {
    const request = new Asking(() => 1_000).ask(
      "Canteen",
      [STUDENT_ID, CARD],
      ["name"],
      only("EuropeanStudentCard"),
    );
    expect(request).toMatchObject({ types: [CARD], claims: ["name"] });
    expect(request).not.toHaveProperty("others");
  });
});

describe("where the lists name no card", () => {
  it("a level cannot be asked for by anyone", () => {
    const asking = new Asking(() => 1_000);
    expect(asking.ask("Library", [STUDENT_ID], ["name", "level"], DEFAULT_POLICY)).toBe(null);
    const request = asking.ask("Library", [STUDENT_ID], ["name"], DEFAULT_POLICY);
    expect(request).toMatchObject({ types: [STUDENT_ID], claims: ["firstName", "familyName"] });
    expect(asking.asked?.request).toBe(request);
  });
});
