/** The wallet as a whole: what is known, and what stands around every screen. */

import type { JSX } from "preact";
import { useCallback, useLayoutEffect, useMemo, useState } from "preact/hooks";

import type { Enrolment, Wallet, WalletCard } from "../model.ts";
import { languageOf } from "./languages.ts";
import { LockScreen } from "./lock_screen.tsx";
import { useKnown, useLock, useOnline, useStrayRefusal, useUpdates, useWaitingVersion } from "./known.ts";
import { ShownPlace } from "./places.tsx";
import { SurroundingsContext, type Surroundings } from "./surroundings.ts";
import { Button, Refused } from "./widgets.tsx";

/** What was read before anything is drawn, so that the first picture is the card. */
export interface Opening {
  readonly cards: readonly WalletCard[];
  readonly unfinished: readonly Enrolment[];
  readonly language: string | null;
  readonly lastCard: string | null;
  readonly isLocked: boolean;
  readonly areCardsLost: boolean;
  readonly keptOffer: string | null;
}

export async function readOpening(wallet: Wallet, offer: string | null): Promise<Opening> {
  const [cards, unfinished, kept, language, lastCard, lock, storage] = await Promise.all([
    wallet.cards(),
    wallet.unfinished(),
    wallet.keptOffer(),
    wallet.setting("language"),
    wallet.lastCard(),
    wallet.setting("lock"),
    wallet.storage(),
  ]);
  const isLocked = lock !== null;
  const keptOffer = offer ?? kept; // there was no room to keep the one that came
  return { cards, unfinished, keptOffer, language, lastCard, isLocked, areCardsLost: storage.lost };
}

interface AppProps {
  readonly wallet: Wallet;
  readonly opening: Opening;
}

export function App({ wallet, opening }: AppProps): JSX.Element {
  const { cards, unfinished, keptOffer } = useKnown(wallet, opening);
  const [code, setCode] = useState(opening.language);
  const isOnline = useOnline();
  const language = useMemo(() => languageOf(code), [code]);
  const { failedAt, update } = useUpdates(wallet);
  const updateWaiting = useWaitingVersion();
  const [stray, clearStray] = useStrayRefusal();
  const { lock, open } = useLock(wallet, opening.isLocked);
  // With the words, not after them: who reads aloud must not begin in another language.
  useLayoutEffect(() => {
    document.documentElement.lang = language.code;
    document.title = language.word("title");
  }, [language]);
  const speak = useCallback(
    async (chosen: string) => {
      setCode(chosen);
      await wallet.keepSetting("language", chosen);
    },
    [wallet],
  );
  const known = { wallet, cards, unfinished, keptOffer, language, isOnline, failedAt, updateWaiting };
  const surroundings: Surroundings = { ...known, speak, update };
  return (
    <SurroundingsContext.Provider value={surroundings}>
      <button type="button" class="skip" onClick={skipToContent}>
        {language.word("skip")}
      </button>
      {stray !== null && (
        <div class="message toast" role="alert">
          <Refused refusal={stray} />
          <Button kind="quiet" onPress={clearStray}>
            {language.word("understood")}
          </Button>
        </div>
      )}
      {lock === "looking" ? null : lock === null ? (
        <ShownPlace opening={opening} />
      ) : (
        <LockScreen lock={lock} onOpen={open} />
      )}
    </SurroundingsContext.Provider>
  );
}

function skipToContent(): void {
  const target = document.querySelector<HTMLElement>("#main a, #main button, #main input, #main textarea");
  target?.focus();
}
