/** What every screen has around it: the wallet, its cards and the language. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";

import type { Enrolment, Wallet, WalletCard } from "../model.ts";
import type { Language } from "./languages.ts";

export interface Surroundings {
  readonly wallet: Wallet;
  readonly cards: readonly WalletCard[];
  readonly unfinished: readonly Enrolment[];
  /** The link of an offer that is not read yet. */
  readonly keptOffer: string | null;
  readonly language: Language;
  readonly isOnline: boolean;
  /** When the service of a card could not be asked, last. */
  readonly failedAt: number | null;
  /** Takes the new version of the wallet; null: there is none. */
  readonly updateWaiting: (() => void) | null;
  readonly speak: (code: string) => Promise<void>;
  readonly update: (cardId: string) => Promise<void>;
}

export const SurroundingsContext = createContext<Surroundings | null>(null);

export function useSurroundings(): Surroundings {
  const surroundings = useContext(SurroundingsContext);
  if (surroundings === null) throw new Error("a screen stands in no wallet");
  return surroundings;
}

/** Seconds since 1970, by this phone. */
export function now(): number {
  return Date.now() / 1000;
}
