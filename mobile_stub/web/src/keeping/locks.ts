/** One tab at a time, the service worker among them (Web Locks). */

import { WalletRefusal } from "../model.ts";

/** Waits for its turn. */
export async function inTurn<Value>(name: string, work: () => Promise<Value>): Promise<Value> {
  return navigator.locks.request(`esc-wallet:${name}`, work);
}

/** Refuses when another one is at it. */
export async function unlessBusy<Value>(name: string, work: () => Promise<Value>): Promise<Value> {
  const asked = { ifAvailable: true };
  return navigator.locks.request(`esc-wallet:${name}`, asked, async (lock) => {
    if (lock === null) throw new WalletRefusal("busy-elsewhere");
    return work();
  });
}
