/**
 * The service worker: the page without network, and safe updates.
 *
 * A new version that came while this page was open waits for the next start. One that was waiting
 * already when this page started is taken at once: nothing is shown yet.
 */

import { REFRESH_TAG, TAKE_OVER } from "../worker/words.ts";

const DAY_MS = 86_400_000;
/** A start: later, the student may be at a counter. */
const START_MS = 1500;

export interface Shell {
  /** Takes the new version now, because the student wants it: the page begins anew. */
  take(): void;
}

/** Installs it once; `updated` is told when a new version waits. Null where there is none. */
export async function installShell(updated: (shell: Shell) => void): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  await beCounted();
  const wasControlled = navigator.serviceWorker.controller !== null;
  const registration = await navigator.serviceWorker.register("./sw.js");
  const shell: Shell = {
    take: () => {
      takeOver(registration);
    },
  };
  if (registration.waiting !== null && wasControlled) {
    if (performance.now() < START_MS && (await isAlone())) shell.take();
    else updated(shell);
  }
  registration.addEventListener("updatefound", () => {
    const coming = registration.installing;
    coming?.addEventListener("statechange", () => {
      if (coming.state === "installed" && navigator.serviceWorker.controller !== null) updated(shell);
    });
  });
  await askForTurns(registration);
}

/** The waiting version takes over, and the page begins anew with it. */
function takeOver(registration: ServiceWorkerRegistration): void {
  const begin = (): void => {
    location.reload();
  };
  navigator.serviceWorker.addEventListener("controllerchange", begin, { once: true });
  registration.waiting?.postMessage(TAKE_OVER);
}

const PAGES = "esc-wallet:pages";

/** Each page holds this lock as long as it lives, together with the others. */
async function beCounted(): Promise<void> {
  await new Promise<void>((counted) => {
    void navigator.locks.request(PAGES, { mode: "shared" }, () => {
      counted();
      return new Promise(() => undefined);
    });
  });
}

/** Whether no other tab of the wallet is open: it would lose its version under its feet. */
async function isAlone(): Promise<boolean> {
  const { held = [] } = await navigator.locks.query();
  return held.filter(({ name }) => name === PAGES).length === 1;
}

/** Periodic Background Sync, where the browser has it and finds this page used enough. */
async function askForTurns(registration: ServiceWorkerRegistration): Promise<void> {
  const { periodicSync } = registration as {
    readonly periodicSync?: { register(tag: string, options: { minInterval: number }): Promise<void> };
  };
  await periodicSync?.register(REFRESH_TAG, { minInterval: DAY_MS }).catch(() => undefined);
}
