/** The service worker: what it does when the service nudges it, and what it keeps. */

import type { CDPSession } from "playwright-core";
import { describe, expect, it } from "vitest";

import lv from "../../../src/languages/lv.toml";
import { REFRESH_TAG } from "../../../src/worker/words.ts";
import { goTo, takeCard, type Device } from "../devices.ts";
import type { Here } from "../world.ts";

export function nudges(here: Here): void {
  describe("a nudge by Web Push", () => {
    it("has the card asked for, and the student told in their language, while no page need be looked at", async () => {
      const { services, open } = bound(here);
      const card = services.card(1, 1);
      const phone = await open();
      await phone.context.grantPermissions(["notifications"], { origin: services.page });
      await takeCard(phone, services, card);
      await phone.installed();
      await services.change("suspend", card, "a test");
      await nudge(phone, services.page);
      const told = [[card.institution.name, lv.words["notice_suspended"]]];
      await expect.poll(() => notifications(phone)).toEqual(told);
      // The page that was open heard of the change, too.
      await phone.page.locator(".code-box").waitFor({ state: "hidden" });
      await services.change("reinstate", card);
    });
  });

  describe("a turn by Periodic Background Sync", () => {
    it("has the card asked for, and the student told only of what is new", async () => {
      const { services, open } = bound(here);
      const card = services.card(1, 0);
      const phone = await open();
      await phone.context.grantPermissions(["notifications"], { origin: services.page });
      await takeCard(phone, services, card);
      await phone.installed();
      const asked = (): number => services.wire.seen.filter((what) => /^GET .*\/device\/card$/.test(what)).length; // prettier-ignore
      const before = asked();
      await turn(phone, services.page);
      await expect.poll(asked).toBe(before + 1);
      expect(await notifications(phone)).toEqual([]);
      await services.change("suspend", card);
      await turn(phone, services.page);
      const told = [[card.institution.name, lv.words["notice_suspended"]]];
      await expect.poll(() => notifications(phone)).toEqual(told);
      await services.change("reinstate", card);
    });
  });

  describe("the last card that is deleted", () => {
    it("takes everything with it: storage, the page's files, the worker, notifications", async () => {
      const { services, open } = bound(here);
      const phone = await open();
      const page = await takeCard(phone, services, services.card(1, 1));
      await phone.installed();
      await goTo(page, `${await page.evaluate(() => location.hash)}/forget`);
      await page.getByRole("button", { name: lv.words["forget_now"] ?? "" }).click();
      await page.getByText(lv.words["forgotten"] ?? "").waitFor();
      const left = await page.evaluate(async () => ({
        caches: await caches.keys(),
        workers: (await navigator.serviceWorker.getRegistrations()).length,
        marks: localStorage.length + document.cookie.length,
      }));
      expect(left).toEqual({ caches: [], workers: 0, marks: 0 });
      // The next visit brings the wallet anew, and takes a card as ever.
      await takeCard(phone, services, services.card(1, 1));
      await phone.installed();
    });
  });

  describe("the Cache API", () => {
    it("holds the page's own files and no answer of a service", async () => {
      const { services, open } = bound(here);
      const phone = await open();
      await takeCard(phone, services, services.card(1, 2));
      await phone.installed();
      const kept = await phone.page.evaluate(async () => {
        const caches_ = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
        return (await Promise.all(caches_.map((cache) => cache.keys()))).flat().map(({ url }) => url);
      });
      const paths = kept.map((url) => url.replace(services.page, ""));
      expect(paths.filter((path) => !/^\/(assets\/[\w-]+\.(js|css|svg)|[\w-]+\.\w+)?$/.test(path))).toEqual(
        [],
      );
      expect(paths).toContain("/");
    });
  });
}

function bound(here: Here): { services: ReturnType<Here>["services"]; open: () => Promise<Device> } {
  const world = here();
  return { services: world.services, open: () => world.open({ locale: "lv-LV" }) };
}

/** As a push service does, without anything in it. */
async function nudge(phone: Device, origin: string): Promise<void> {
  const { devtools, registrationId } = await workerOf(phone, origin);
  await devtools.send("ServiceWorker.deliverPushMessage", { origin, registrationId, data: "" });
}

/** As the browser does, once a day. */
async function turn(phone: Device, origin: string): Promise<void> {
  const { devtools, registrationId } = await workerOf(phone, origin);
  await devtools.send("ServiceWorker.dispatchPeriodicSyncEvent", {
    origin,
    registrationId,
    tag: REFRESH_TAG,
  });
}

async function workerOf(
  phone: Device,
  origin: string,
): Promise<{ readonly devtools: CDPSession; readonly registrationId: string }> {
  const devtools = await phone.context.newCDPSession(phone.page);
  const registered = new Promise<string>((resolve) => {
    devtools.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      const ours = registrations.find(({ scopeURL }) => scopeURL.startsWith(origin));
      if (ours !== undefined) resolve(ours.registrationId);
    });
  });
  await devtools.send("ServiceWorker.enable");
  return { devtools, registrationId: await registered };
}

async function notifications(phone: Device): Promise<string[][]> {
  return phone.page.evaluate(async () => {
    const registration = await navigator.serviceWorker.getRegistration();
    return ((await registration?.getNotifications()) ?? []).map(({ title, body }) => [title, body]);
  });
}
