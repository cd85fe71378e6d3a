/**
 * Asks the service how the cards are: on opening, on coming back to the screen or to a network, and
 * each hour while open. Where the browser has it, the service worker does so in between.
 */

import type { Wallet, WalletRefusal } from "../model.ts";
import { refreshAll } from "./refresh_all.ts";

const HOUR_MS = 3_600_000;
/** Coming back to the screen again and again is no reason to ask each time. */
const PAUSE_SECONDS = 60;

/** Starts it; returns how to stop. `failed` is told why the service could not be asked. */
export function keepUp(wallet: Wallet, failed: (refusal: WalletRefusal) => void): () => void {
  const stopping = new AbortController();
  const { signal } = stopping;
  const refresh = (): void => {
    void refreshAll(wallet, PAUSE_SECONDS, failed);
  };
  const ifVisible = (): void => {
    if (document.visibilityState === "visible") refresh();
  };
  document.addEventListener("visibilitychange", ifVisible, { signal });
  globalThis.addEventListener("online", refresh, { signal });
  const timer = setInterval(refresh, HOUR_MS);
  signal.addEventListener("abort", () => {
    clearInterval(timer);
  });
  refresh();
  return () => {
    stopping.abort();
  };
}
