/**
 * Keeps the whole page on the phone, so that it opens without network after one visit, and asks how
 * the cards are when the service nudges it (Web Push) or the browser gives it a turn.
 *
 * Only the page's own files are in the Cache API, never an answer of a service. A new version waits
 * until no page of the old one is open: whoever shows a card meanwhile goes on with the old one.
 */

import { openWallet } from "../keeping/wallet.ts";
import { refreshAll } from "../keeping/refresh_all.ts";
import { languageOf } from "../page/languages.ts";
import type { Notice, WalletCard } from "../model.ts";
import { CACHE_PREFIX, REFRESH_TAG, TAKE_OVER } from "./words.ts";

declare const self: ServiceWorkerGlobalScope;
// Put in by the build: every file of the page, and a name that changes with any of them.
declare const FILES: readonly string[];
declare const VERSION: string;

const CACHE = `${CACHE_PREFIX}${VERSION}`;

self.addEventListener("install", (event) => {
  event.waitUntil(install());
});
self.addEventListener("activate", (event) => {
  event.waitUntil(activate());
});
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const isOurs = request.method === "GET" && request.url.startsWith(self.registration.scope);
  if (isOurs) event.respondWith(answer(request));
});
self.addEventListener("message", (event) => {
  if (event.data === TAKE_OVER) event.waitUntil(self.skipWaiting());
});
self.addEventListener("push", (event) => {
  event.waitUntil(askAndTell(true));
});
self.addEventListener("periodicsync", (event) => {
  const sync = event as ExtendableEvent & { readonly tag: string };
  if (sync.tag === REFRESH_TAG) sync.waitUntil(askAndTell(false));
});
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(openPage());
});

async function install(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll(FILES.map((file) => new Request(file, { cache: "no-cache" })));
}

async function activate(): Promise<void> {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(CACHE_PREFIX) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

async function answer(request: Request): Promise<Response> {
  const wanted = request.mode === "navigate" ? "./" : request;
  // Looking into it makes no new one: it may have been deleted with the last card.
  const kept = await caches.match(wanted, { cacheName: CACHE, ignoreSearch: true });
  return kept ?? fetch(request);
}

/** Refreshes every card; what the student has not been told yet becomes a notification. */
async function askAndTell(wasNudged: boolean): Promise<void> {
  const wallet = await openWallet();
  const before = await wallet.cards();
  // A card that cannot be asked for now stays as it is, and is asked for at the next turn.
  await refreshAll(wallet, 0, () => undefined);
  const language = languageOf(await wallet.setting("language"));
  const cards = await wallet.cards();
  for (const card of cards) {
    const known = before.find(({ id }) => id === card.id)?.notices ?? [];
    for (const notice of newest(card, known)) {
      await tell(card, language.word(`notice_${notice.kind}`));
    }
  }
  // Browsers take the permission away from pages that are nudged and show nothing.
  const isTold = cards.some(
    (card) => newest(card, before.find(({ id }) => id === card.id)?.notices).length > 0,
  );
  const [first] = cards;
  if (wasNudged && !isTold && first !== undefined) await tell(first, language.word("notice_changed"));
}

function newest(card: WalletCard, known: readonly Notice[] = []): readonly Notice[] {
  return card.notices.filter(({ at, kind }) => !known.some((one) => one.at === at && one.kind === kind));
}

async function tell(card: WalletCard, body: string): Promise<void> {
  if (Notification.permission !== "granted") return;
  const { name } = card.facts.institution;
  await self.registration.showNotification(name, { body, tag: card.id, icon: "./icon-192.png" });
}

async function openPage(): Promise<void> {
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  await (pages[0]?.focus() ?? self.clients.openWindow("./"));
}
