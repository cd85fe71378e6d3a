/** The wallet in a real browser without its screens: tests call it by name. */

import { drawCode } from "../../src/codes/drawing.ts";
import { openWallet } from "../../src/keeping/wallet.ts";
import { WalletRefusal, type Wallet } from "../../src/model.ts";

export type Outcome = { readonly value: unknown } | { readonly refusal: string; readonly values: object };

/** Calls the wallet; a refusal comes back as a value, anything else that is thrown is a fault. */
async function ask(name: keyof Wallet, ...words: unknown[]): Promise<Outcome> {
  const wallet = await opened;
  const callable = wallet as unknown as Record<string, (...words: unknown[]) => unknown>;
  try {
    return { value: await callable[name]?.(...words) };
  } catch (error) {
    if (error instanceof WalletRefusal) return { refusal: error.refusal, values: error.values };
    throw error;
  }
}

/** Milliseconds of a new live code, signed and drawn, each of so many times. */
async function timeCodes(cardId: string, times: number): Promise<number[]> {
  const wallet = await opened;
  const taken: number[] = [];
  for (let at = 0; at < times; at += 1) {
    const start = performance.now();
    drawCode((await wallet.liveCode(cardId, "status")) ?? "", "screen");
    taken.push(performance.now() - start);
  }
  return taken;
}

const opened = openWallet();
const bench = { ask, timeCodes, changes: 0 };
export type Bench = typeof bench;
Object.assign(globalThis, { bench });
(await opened).watch(() => (bench.changes += 1));
document.documentElement.dataset["ready"] = "";
