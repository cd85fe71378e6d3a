/** Which list decides, and what is taken where digits are asked for. */

import { beforeAll, describe, expect, it } from "vitest";

import { DEFAULT_POLICY, type Knowledge } from "../src/check/index.ts";
import { InMemoryReplay } from "../src/check/replay.ts";
import { Desk } from "../src/page/desk.ts";
import { knowledgeOf, readVector } from "./vector_files.ts";

const NOW = 1_800_000_000;
const CREDENTIAL = readVector("sd_jwt_vc/valid_everything_disclosed.txt").payload;
const STATIC = readVector("esc_qr/valid_static_status.txt").payload;
let usual: Knowledge;

beforeAll(async () => {
  usual = await knowledgeOf("usual.escbundle", NOW);
});

async function saidTo(text: string, usable: Knowledge[], digits: string | null = null): Promise<string> {
  const desk = new Desk(() => NOW, new InMemoryReplay());
  const showing = { text, digits, binding: undefined };
  const { card, refusal } = await desk.decide(showing, { usable, fault: null }, DEFAULT_POLICY);
  return card === null ? String(refusal?.refusal) : card.evidence;
}

/** The same institutions, with other addresses. */
function elsewhere({ trust, ...others }: Knowledge): Knowledge {
  return { ...others, trust: { ...trust, byIssuer: new Map() } };
}

/** A list of nobody. */
function empty({ trust, ...others }: Knowledge): Knowledge {
  return { ...others, trust: { ...trust, institutions: new Map(), byIssuer: new Map() } };
}

describe("a further list", () => {
  it("decides for institutions of its own", async () => {
    for (const text of [STATIC, CREDENTIAL]) expect(await saidTo(text, [empty(usual), usual])).toBe("static");
  });

  it("cannot answer for the number of an institution of the first under another address", async () => {
    expect(await saidTo(CREDENTIAL, [elsewhere(usual), usual])).toBe("UnknownInstitution");
  });
});

it("where digits are asked for, nothing static passes", async () => {
  for (const text of [STATIC, CREDENTIAL]) {
    expect(await saidTo(text, [usual])).toBe("static");
    expect(await saidTo(text, [usual], "1234")).toBe("StaticCode");
  }
});
