/** Cards that were taken, in a real browser: kept up, renewed, ended, shown, lost and forgotten. */

import { expect, test } from "vitest";

import type { DeviceOfCard, Showing, WalletCard } from "../../src/model.ts";
import { runPython } from "../python.ts";
import type { Bench } from "./bench.ts";
import { useOnePhone, type Tab } from "./bench_page.ts";

const at = useOnePhone();

/** What a provider's verifier says of this code, by E1's own words: nothing is fetched. */
function holds(text: string): boolean {
  return runPython(CHECK, text).trim() === "held";
}

test("a live code is made for each showing, holds, and is signed anew", async () => {
  const { services, tab } = at();
  const { id } = await tab.take(await services.offer(services.card(0, 0)));
  const first = await tab.get<string>("liveCode", id, "status");
  const challenged = await tab.get<string>("liveCode", id, "identity");
  expect(first).not.toBe(challenged);
  expect([first, challenged].map(holds)).toEqual([true, true]);
});

test("a suspended card shows no code and says why; reinstated it shows one again, and both are news", async () => {
  const { services, tab } = at();
  const { id } = await tab.take(await services.offer(services.card(0, 1)));
  await services.change("suspend", services.card(0, 1));
  const suspended = await tab.get<WalletCard>("refresh", id);
  expect([suspended.facts.state, suspended.facts.reason]).toEqual(["suspended", "a test"]);
  expect(await tab.get("liveCode", id, "status")).toBeNull();
  await services.change("reinstate", services.card(0, 1));
  const active = await tab.get<WalletCard>("refresh", id);
  expect(active.notices.map(({ kind }) => kind)).toEqual(["suspended", "reinstated"]);
  expect(await tab.get("liveCode", id, "status")).not.toBeNull();
  await tab.get("dismissNotices", id);
  expect((await tab.card()).notices).toEqual([]);
});

test("a refresh that fails changes nothing of the card, and says why", async () => {
  const { services, tab } = at();
  const before = await tab.take(await services.offer(services.card(0, 0)));
  for (const how of ["never arrives", "answer lost", "half an answer"] as const) {
    services.wire.cut(0, how);
    expect(await tab.refusal("refresh", before.id)).toBe("service-away");
  }
  services.wire.cut(null);
  await tab.page.route("**/device/card", (route) => route.fulfill({ status: 200, body: '{"state":"fine"}' }));
  expect(await tab.refusal("refresh", before.id)).toBe("bad-answer");
  await tab.page.unroute("**/device/card");
  await tab.page.route("**/device/card", (route) => route.fulfill({ status: 401, body: "{}" }));
  expect(await tab.refusal("refresh", before.id)).toBe("device-unknown");
  await tab.page.unroute("**/device/card");
  expect(await tab.card()).toEqual(before);
  expect(await tab.get("liveCode", before.id, "status")).not.toBeNull();
});

test("an answer that is redirected is not followed", async () => {
  const { services, tab } = at();
  const { id } = await tab.take(await services.offer(services.card(0, 0)));
  await tab.page.route("**/device/card", (route) =>
    route.fulfill({ status: 302, headers: { location: `${services.told.wallet}/healthz` } }),
  );
  expect(await tab.refusal("refresh", id)).toMatch(/bad-answer|service-away/);
  await tab.page.unroute("**/device/card");
});

test("a phone that asks again is told that nothing changed", async () => {
  const { services, tab } = at();
  const { id } = await tab.take(await services.offer(services.card(0, 0)));
  await tab.get("refresh", id);
  const answered = tab.page.waitForResponse((one) => one.request().method() === "GET");
  await tab.get("refresh", id);
  expect((await answered).status()).toBe(304);
});

test("credentials are renewed without the student, and a lost answer at any step loses no card", async () => {
  const { services, tab } = at();
  const { id } = await tab.take(await services.offer(services.card(0, 2)));
  // The card with its nonce, then the renewal itself.
  for (const [at, how] of [
    [0, "answer lost"],
    [1, "never arrives"],
    [1, "answer lost"],
    [1, "half an answer"],
  ] as const) {
    const before = await tab.card();
    await services.makeRenewalsDue();
    services.wire.cut(at, how);
    expect(await tab.refusal("refresh", id)).toBe("service-away");
    expect((await tab.card()).codes).toEqual(before.codes);
    services.wire.cut(null);
    const after = await tab.get<WalletCard>("refresh", id);
    expect(after.codes.status?.text).not.toBe(before.codes.status?.text);
    expect(after.notices.at(-1)?.kind).toBe("renewed");
    const live = await tab.get<string>("liveCode", id, "status");
    expect(holds(live)).toBe(true);
  }
});

test("a new phone ends the old one, which says so, shows no code and keeps the card's face", async () => {
  const { openPhone, openTab, services, tab } = at();
  const old = await tab.take(await services.offer(services.card(0, 3)));
  const newer = await openPhone();
  const other = await openTab(newer);
  await other.take(await services.offer(services.card(0, 3)));
  const ended = await tab.get<WalletCard>("refresh", old.id);
  expect(ended.endedAs).toBe("replaced");
  expect(ended.facts.name).toBe(old.facts.name);
  expect(await tab.get("liveCode", old.id, "status")).toBeNull();
  expect(await tab.refusal("devices", old.id)).toBe("device-ended");
  expect((await tab.get<WalletCard>("refresh", old.id)).notices).toHaveLength(1);
});

test("a phone is named, listed, and can be ended from itself", async () => {
  const { services, tab } = at();
  const { id } = await tab.take(await services.offer(services.card(0, 0)));
  await tab.get("nameDevice", id, "Anna's phone");
  expect((await tab.card()).deviceName).toBe("Anna's phone");
  const { devices, atOnce } = await tab.get<{ devices: DeviceOfCard[]; atOnce: number }>("devices", id);
  expect([atOnce, devices.map(({ name, isThis }) => [name, isThis])]).toEqual([1, [["Anna's phone", true]]]);
  await tab.get("endDevice", id, devices[0]?.id);
  expect((await tab.get<WalletCard>("refresh", id)).endedAs).not.toBeNull();
});

test("a forgotten card leaves nothing, in the browser or at the service", async () => {
  const { services, tab } = at();
  const { id } = await tab.take(await services.offer(services.card(0, 0)));
  await tab.get("noteShowing", id, "status");
  expect(await tab.get<Showing[]>("showings")).toHaveLength(1);
  expect(await tab.get("forget", id)).toEqual({ serviceKnows: true });
  expect(await contents(tab)).toEqual([]);
  expect(await tab.page.evaluate(() => [localStorage.length, document.cookie])).toEqual([0, ""]);
});

test("a card is forgotten without the service, too, which is then not told", async () => {
  const { services, tab } = at();
  const { id } = await tab.take(await services.offer(services.card(0, 0)));
  services.wire.cut(0, "never arrives");
  expect(await tab.get("forget", id)).toEqual({ serviceKnows: false });
  expect(await contents(tab)).toEqual([]);
});

test("what was shown is remembered here only, and can be deleted", async () => {
  const { services, tab } = at();
  const { id } = await tab.take(await services.offer(services.card(0, 0)));
  await tab.get("noteShowing", id, "status");
  await tab.get("noteShowing", id, "identity");
  expect((await tab.get<Showing[]>("showings")).map(({ profile }) => profile)).toEqual([
    "status",
    "identity",
  ]);
  await tab.get("deleteShowings");
  expect(await tab.get("showings")).toEqual([]);
});

test("a photo that the student sent comes with the card once staff approved it, and that is news", async () => {
  const { services, tab } = at();
  const { id } = await tab.take(await services.offer(services.card(0, 0)));
  const send = async (isPicture: boolean): Promise<unknown> =>
    tab.page.evaluate(
      ([id, isPicture]) => (globalThis as unknown as { bench: Bench }).bench.sendPhoto(id, isPicture),
      [id, isPicture] as const,
    );
  expect(await send(false)).toMatchObject({ refusal: "not-an-image" });
  expect(await send(true)).toHaveProperty("value");
  expect((await tab.card()).ownPhoto?.state).toBe("waiting");
  await services.approvePhotos(services.card(0, 0));
  const card = await tab.get<WalletCard>("refresh", id);
  expect([card.ownPhoto?.state, card.notices.map(({ kind }) => kind)]).toEqual([
    "approved",
    ["photo_approved"],
  ]);
  const kept = await tab.page.evaluate(
    (id) => (globalThis as unknown as { bench: Bench }).bench.pictures(id),
    id,
  );
  expect(kept["photo"]?.[0]).toBe("image/jpeg");
});

test("another tab hears of every change", async () => {
  const { openTab, services, tab } = at();
  const other = await openTab();
  const { id } = await tab.take(await services.offer(services.card(0, 0)));
  const heard = (): Promise<number> =>
    other.page.evaluate(() => (globalThis as unknown as { bench: { changes: number } }).bench.changes);
  const before = await heard();
  await tab.get("nameDevice", id, "A phone");
  await expect.poll(heard).toBeGreaterThan(before);
  await other.page.close();
});

test("a browser that emptied the storage is noticed, and the loss said until it is admitted", async () => {
  const { openTab, services, tab } = at();
  await tab.take(await services.offer(services.card(0, 0)));
  expect(await tab.get("storage")).toMatchObject({ lost: false });
  await tab.page.evaluate(
    () =>
      new Promise((resolve) => {
        const open = indexedDB.deleteDatabase("esc-wallet");
        open.onsuccess = resolve;
      }),
  );
  expect(await tab.refusal("cards")).toBe("storage-lost");
  const fresh = await openTab();
  expect(await fresh.get("storage")).toMatchObject({ lost: true });
  await fresh.get("admitLoss");
  expect(await fresh.get("storage")).toMatchObject({ lost: false });
});

test("a full storage is said as such, and the same offer can be taken when there is space", async () => {
  const { services, tab } = at();
  const offer = await services.offer(services.card(0, 0));
  const { id } = await tab.get<{ id: string }>("beginEnrolment", offer.credential_offer_uri);
  await tab.page.evaluate(() => {
    // eslint-disable-next-line @typescript-eslint/unbound-method -- put back as it was
    const { put } = IDBObjectStore.prototype;
    Object.assign(globalThis, { put });
    IDBObjectStore.prototype.put = () => {
      throw new DOMException("no space", "QuotaExceededError");
    };
  });
  expect(await tab.refusal("goOn", id, offer.tx_code)).toBe("storage-full");
  await tab.page.evaluate(() => {
    IDBObjectStore.prototype.put = (globalThis as unknown as Pick<IDBObjectStore, "put">).put;
  });
  expect((await tab.get<WalletCard>("goOn", id, offer.tx_code)).facts.state).toBe("active");
});

/** How many things lie in each store that is not empty. */
async function contents(of: Tab): Promise<unknown[]> {
  return of.page.evaluate(async () => {
    const open = await new Promise<IDBDatabase>((resolve) => {
      const opening = indexedDB.open("esc-wallet");
      opening.onsuccess = () => {
        resolve(opening.result);
      };
    });
    const counts = [...open.objectStoreNames].map(
      (name) =>
        new Promise<[string, number]>((resolve) => {
          const asking = open.transaction(name).objectStore(name).count();
          asking.onsuccess = () => {
            resolve([name, asking.result]);
          };
        }),
    );
    const found = await Promise.all(counts);
    open.close();
    return found.filter(([, count]) => count > 0);
  });
}

const CHECK = `
import sys
from cryptography.hazmat.primitives.asymmetric import ec
from verifier.cose import verify_low_s
from verifier.esc_qr import e2_signing_input, parse_code
code = parse_code(sys.stdin.read())
holder = code.e1.claims.holder_key
point = bytes([2 + holder.y_is_odd]) + holder.x
key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
verify_low_s(key, code.device_signature, e2_signing_input(code.e1_bytes, shown_at=code.shown_at))
print("held")
`;
