/** What changes while the wallet is open: cards, network, updates, the version, the lock. */

import { useCallback, useEffect, useState } from "preact/hooks";

import { keepUp } from "../keeping/keeping_up.ts";
import { installShell, type Shell } from "../keeping/shell.ts";
import { WalletRefusal, type Enrolment, type Wallet, type WalletCard } from "../model.ts";
import { lockOf, type Lock } from "./lock.ts";
import { now } from "./surroundings.ts";

export interface Known {
  readonly cards: readonly WalletCard[];
  readonly unfinished: readonly Enrolment[];
  /** The link of an offer that is not read yet. */
  readonly keptOffer: string | null;
}

/** Cards and enrolments as they are now, whoever changed them. */
export function useKnown(wallet: Wallet, opening: Known): Known {
  const [known, setKnown] = useState<Known>(opening);
  useEffect(() => {
    let newest = 0;
    const look = async (): Promise<void> => {
      newest += 1;
      const asked = newest;
      const [cards, unfinished, keptOffer] = await Promise.all([
        wallet.cards(),
        wallet.unfinished(),
        wallet.keptOffer(),
      ]);
      if (asked === newest) setKnown({ cards, unfinished, keptOffer });
    };
    return wallet.watch(() => void look());
  }, [wallet]);
  return known;
}

export function useOnline(): boolean {
  const [isOnline, setOnline] = useState(navigator.onLine);
  useEffect(() => {
    const tell = (): void => {
      setOnline(navigator.onLine);
    };
    window.addEventListener("online", tell);
    window.addEventListener("offline", tell);
    return () => {
      window.removeEventListener("online", tell);
      window.removeEventListener("offline", tell);
    };
  }, []);
  return isOnline;
}

interface Updates {
  /** When the service could not be asked, last. */
  readonly failedAt: number | null;
  readonly update: (cardId: string) => Promise<void>;
}

/** Asks the services by itself, and when the student wants it. */
export function useUpdates(wallet: Wallet): Updates {
  const [failedAt, setFailedAt] = useState<number | null>(null);
  useEffect(
    () =>
      keepUp(wallet, () => {
        setFailedAt(now());
      }),
    [wallet],
  );
  const update = useCallback(
    async (cardId: string) => {
      try {
        await wallet.refresh(cardId);
        setFailedAt(null);
      } catch (error) {
        if (!(error instanceof WalletRefusal)) throw error;
        setFailedAt(now());
      }
    },
    [wallet],
  );
  return { failedAt, update };
}

/** How the waiting version of the wallet is taken; null while there is none. */
export function useWaitingVersion(): (() => void) | null {
  const [shell, setShell] = useState<Shell | null>(null);
  useEffect(() => void installShell(setShell), []);
  return useCallbackOrNull(shell);
}

function useCallbackOrNull(shell: Shell | null): (() => void) | null {
  const take = useCallback(() => {
    shell?.take();
  }, [shell]);
  return shell === null ? null : take;
}

/** Refused where no screen waits for it, such as keeping a setting when the storage is full. */
export function useStrayRefusal(): readonly [WalletRefusal | null, () => void] {
  const [refusal, setRefusal] = useState<WalletRefusal | null>(null);
  useEffect(() => {
    const take = (event: PromiseRejectionEvent): void => {
      if (!(event.reason instanceof WalletRefusal)) return;
      event.preventDefault();
      setRefusal(event.reason);
    };
    window.addEventListener("unhandledrejection", take);
    return () => {
      window.removeEventListener("unhandledrejection", take);
    };
  }, []);
  const clear = useCallback(() => {
    setRefusal(null);
  }, []);
  return [refusal, clear];
}

const OUT_OF_SIGHT = 60; // seconds; then the lock is asked again

interface Locking {
  readonly lock: Lock | null | "looking";
  readonly open: () => void;
}

/** The lock that stands before the cards, or null. */
export function useLock(wallet: Wallet, isLocked: boolean): Locking {
  const [lock, setLock] = useState<Lock | null | "looking">(isLocked ? "looking" : null);
  useEffect(() => {
    const close = async (): Promise<void> => {
      setLock(await lockOf(wallet));
    };
    let hiddenAt: number | null = null;
    const seen = (): void => {
      if (document.hidden) hiddenAt = now();
      else if (hiddenAt !== null && now() - hiddenAt >= OUT_OF_SIGHT) void close();
    };
    if (isLocked) void close();
    document.addEventListener("visibilitychange", seen);
    return () => {
      document.removeEventListener("visibilitychange", seen);
    };
  }, [wallet, isLocked]);
  const open = useCallback(() => {
    setLock(null);
  }, []);
  return { lock, open };
}
