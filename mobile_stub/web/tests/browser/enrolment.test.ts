/** Taking a card in a real browser from the real services, cut at every step. */

import { expect, test } from "vitest";

import type { DeviceOfCard, Enrolment, WalletCard } from "../../src/model.ts";
import { useOnePhone, type Tab } from "./bench_page.ts";
import type { Offer } from "./deployment.ts";
import { stopClock } from "./devices.ts";
import type { Fate, Wire } from "./wire.ts";

const at = useOnePhone();

/** As a student does: the same again until it works. Returns the refusals on the way. */
async function takeWithRetries(tab: Tab, offer: Offer, wire: Wire): Promise<string[]> {
  const refusals: string[] = [];
  const insist = async (name: string, ...words: unknown[]): Promise<unknown> => {
    for (let tries = 0; tries < 4; tries += 1) {
      const outcome = await tab.ask(name, ...words);
      if ("value" in outcome) return outcome.value;
      refusals.push(outcome.refusal);
      wire.mend();
    }
    throw new Error(`${name} goes on failing: ${refusals.join(", ")}`);
  };
  const enrolment = (await insist("beginEnrolment", offer.credential_offer_uri)) as Enrolment;
  await insist("goOn", enrolment.id, offer.tx_code);
  return refusals;
}

function wrong(txCode: string): string {
  return txCode === "000000" ? "111111" : "000000";
}

test("an offer that does not exist any more is said to have expired; one that was cut, to be cut", async () => {
  const { services, tab } = at();
  const { pic } = services.card(0, 0).institution;
  const link = (reference: string): string =>
    `openid-credential-offer://?credential_offer_uri=${encodeURIComponent(`${services.wire.address}/${pic}/offers/${reference}`)}`;
  expect(await tab.refusal("beginEnrolment", link("x".repeat(43)))).toBe("offer-expired");
  expect(await tab.refusal("beginEnrolment", link("x".repeat(20)))).toBe("offer-cut");
  const whole = link("x".repeat(43));
  const offers = whole.indexOf("%2Foffers");
  for (const end of [offers - 8, offers, offers + 4, offers + 9, offers + 12]) {
    expect(await tab.refusal("beginEnrolment", whole.slice(0, end))).toBe("offer-cut");
  }
  expect(await tab.get("unfinished")).toEqual([]);
  expect(await tab.get("setting", "offer")).toBe(null);
});

test("an offer's link that cannot be begun is kept for a day from when it came, not longer for each try", async () => {
  const { services, phone, tab } = at();
  const came = Date.now();
  const { credential_offer_uri: link } = await services.offer(services.card(0, 0));
  const isKept = async (secondsLater: number): Promise<boolean> => {
    await stopClock(phone.page, came + secondsLater * 1000);
    return (await tab.get("keptOffer")) === link;
  };
  services.wire.fate = () => "never arrives";
  await stopClock(phone.page, came);
  expect(await tab.refusal("beginEnrolment", link)).toBe("service-away");
  expect(await isKept(43_200)).toBe(true);
  expect(await tab.refusal("beginEnrolment", link)).toBe("service-away");
  expect(await isKept(86_399)).toBe(true);
  expect(await tab.get("setting", "offer")).toContain(link);
  expect(await isKept(86_400)).toBe(false);
  expect(await tab.get("setting", "offer")).toBe(null);
  // Kept by a clock that was a day ahead: nobody waits until that day has come again.
  await tab.get("keepOffer", link);
  expect(await isKept(0)).toBe(false);
  // What is let be is gone at once.
  await tab.get("keepOffer", link);
  expect(await isKept(60)).toBe(true);
  await tab.get("keepOffer", null);
  expect(await isKept(60)).toBe(false);
});

test("an offer of an issuer that speaks for another one is refused", async () => {
  const { services, tab } = at();
  const text = decodeURIComponent(
    (await services.offer(services.card(0, 0))).credential_offer.split("=")[1] ?? "",
  ).replace(/\+/g, " ");
  const offer = JSON.parse(text) as { credential_issuer: string };
  const other = {
    ...offer,
    credential_issuer: `${services.told.wallet}/${services.card(0, 0).institution.pic}`,
  };
  const link = `openid-credential-offer://?credential_offer=${encodeURIComponent(JSON.stringify(other))}`;
  expect(await tab.refusal("beginEnrolment", link)).toBe("issuer-unknown");
});

test("a wrong code says how many tries are left, and the fifth one ends the offer", async () => {
  const { services, tab } = at();
  const offer = await services.offer(services.card(0, 0));
  const { id } = await tab.get<Enrolment>("beginEnrolment", offer.credential_offer_uri);
  expect(await tab.ask("goOn", id, "12")).toEqual({ refusal: "tx-code-wrong", values: {} });
  for (const left of [4, 3, 2, 1]) {
    const outcome = await tab.ask("goOn", id, wrong(offer.tx_code));
    expect(outcome).toEqual({ refusal: "tx-code-wrong", values: { left } });
  }
  expect(await tab.refusal("goOn", id, wrong(offer.tx_code))).toBe("tx-code-dead");
  expect(await tab.get("unfinished")).toEqual([]);
});

test("an offer that was used is refused as used", async () => {
  const { services, tab } = at();
  const offer = await services.offer(services.card(0, 0));
  await tab.take(offer);
  const { id } = await tab.get<Enrolment>("beginEnrolment", offer.credential_offer_uri);
  expect(await tab.refusal("goOn", id, offer.tx_code)).toBe("offer-used");
});

test("a card comes with all that was offered, a name, and a code that this phone signs", async () => {
  const { services, tab } = at();
  const offer = await services.offer(services.card(0, 1));
  const card = await tab.take(offer);
  expect(card.facts.name).toBe(services.card(0, 1).name);
  expect(card.facts.institution.name).toBe(services.card(0, 0).institution.name);
  expect([...card.configurations].sort()).toEqual([
    "EuropeanStudentCard",
    "EuropeanStudentCardQr",
    "VerifiableStudentID",
  ]);
  expect(card.esi).toContain("urn:schac:personalUniqueCode:int:esi:daugava.example:");
  expect(await tab.get("liveCode", card.id, "identity")).toContain(`${services.card(0, 1).escn}#E2`);
  expect(await tab.get("unfinished")).toEqual([]);
});

test("the same offer begun twice is one enrolment with one key", async () => {
  const { services, tab } = at();
  const offer = await services.offer(services.card(0, 0));
  const [first, again] = [
    await tab.get<Enrolment>("beginEnrolment", offer.credential_offer_uri),
    await tab.get<Enrolment>("beginEnrolment", offer.credential_offer_uri),
  ];
  expect(again.id).toBe(first.id);
});

test("two tabs at once: one takes the card, the other is told that it is being taken", async () => {
  const { openTab, services, tab } = at();
  const offer = await services.offer(services.card(0, 0));
  const other = await openTab();
  const { id } = await tab.get<Enrolment>("beginEnrolment", offer.credential_offer_uri);
  const { wire } = services;
  const asked = wire.seen.length;
  const letGo = wire.hold();
  const taken = tab.ask("goOn", id, offer.tx_code);
  await expect.poll(() => wire.seen.length).toBeGreaterThan(asked);
  expect(await other.refusal("goOn", id, offer.tx_code)).toBe("busy-elsewhere");
  letGo();
  expect(await taken).toHaveProperty("value");
  expect(await other.get<WalletCard[]>("cards")).toHaveLength(1);
  await other.page.close();
});

test("a clock an hour off neither keeps a card from being taken nor goes unsaid", async () => {
  const { openTab, services } = at();
  const other = await openTab();
  await other.setClockAhead(3600);
  const card = await other.take(await services.offer(services.card(0, 0)));
  expect(Math.abs(card.clockAhead - 3600)).toBeLessThan(600);
  await other.page.close();
});

test("cards of two institutions have each its own key and issuer", async () => {
  const { services, tab } = at();
  await tab.take(await services.offer(services.card(0, 0)));
  await tab.take(await services.offer(services.card(1, 0)));
  const cards = await tab.get<WalletCard[]>("cards");
  expect(cards.map((card) => card.facts.institution.pic)).toEqual(
    services.told.institutions.slice(0, 2).map(({ pic }) => pic),
  );
  const keys = cards.map((card) => Buffer.from(Object.values(card.codes.status?.e1 ?? {})).toString("hex"));
  expect(keys[0]).not.toBe(keys[1]);
});

test("a card taken anew on the same phone replaces the old one, and leaves one device", async () => {
  const { services, tab } = at();
  await tab.take(await services.offer(services.card(0, 2)));
  const card = await tab.take(await services.offer(services.card(0, 2)));
  expect(await tab.get<WalletCard[]>("cards")).toHaveLength(1);
  const { devices } = await tab.get<{ devices: DeviceOfCard[] }>("devices", card.id);
  expect(devices).toHaveLength(1);
});

test("a key in the browser's storage cannot be exported", async () => {
  const { services, tab } = at();
  await tab.take(await services.offer(services.card(0, 0)));
  const kept = await tab.page.evaluate(async () => {
    const open = await new Promise<IDBDatabase>((resolve) => {
      const opening = indexedDB.open("esc-wallet");
      opening.onsuccess = () => {
        resolve(opening.result);
      };
    });
    const keys = await new Promise<{ privateKey: CryptoKey }[]>((resolve) => {
      const asking = open.transaction("keys").objectStore("keys").getAll();
      asking.onsuccess = () => {
        resolve(asking.result as { privateKey: CryptoKey }[]);
      };
    });
    open.close();
    return keys.map(({ privateKey }) => [privateKey.type, privateKey.extractable]);
  });
  expect(kept).toEqual([["private", false]]);
});

test("a busy service is asked again when it said, without the student, and gives one card with one device", async () => {
  const { services, tab } = at();
  const offer = await services.offer(services.card(0, 0));
  let busyFor = 2; // requests
  services.wire.fate = (what) => {
    if (!what.endsWith("/credential") || busyFor === 0) return "through";
    busyFor -= 1;
    return "told to come again";
  };
  expect(await takeWithRetries(tab, offer, services.wire)).toEqual([]);
  services.wire.mend();
  expect(busyFor).toBe(0);
  const [card, ...others] = await tab.get<WalletCard[]>("cards");
  expect([card?.configurations.length, others]).toEqual([3, []]);
  const { devices } = await tab.get<{ devices: DeviceOfCard[] }>("devices", card?.id);
  expect(devices.map(({ isThis }) => isThis)).toEqual([true]);
});

// Offer and two documents to begin; the documents again, the token, three times nonce and credential,
// and how the card is.
const STEPS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
const [TOKEN, CREDENTIAL, CARD] = [5, 7, 12];

test.each([
  ["answer lost", STEPS],
  ["never arrives", [TOKEN, CREDENTIAL]],
  ["half an answer", [0, TOKEN, CREDENTIAL, CARD]],
] as const)("%s at any step: going on leads to one card with one device", async (how: Fate, steps) => {
  const { services, tab } = at();
  for (const step of steps) {
    const offer = await services.offer(services.card(0, step % 4));
    services.wire.cut(step, how);
    const refusals = await takeWithRetries(tab, offer, services.wire);
    expect(services.wire.wasCut, `step ${step}`).toBe(true);
    expect(refusals.filter((one) => one !== "service-away")).toEqual([]);
    services.wire.cut(null);
    const [card, ...others] = await tab.get<WalletCard[]>("cards");
    if (card === undefined) throw new Error(`no card after a cut at step ${step}`);
    expect(others).toEqual([]);
    expect(await tab.get("unfinished")).toEqual([]);
    expect(card.configurations).toHaveLength(3);
    expect(await tab.get("liveCode", card.id, "status")).toContain("#E2");
    const { devices } = await tab.get<{ devices: DeviceOfCard[] }>("devices", card.id);
    expect(devices.map(({ isThis }) => isThis)).toEqual([true]);
    await tab.get("forget", card.id);
  }
});
