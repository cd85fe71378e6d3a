/** The screen that the wallet opens with: one card, ready to be shown. */

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import type { Profile, WalletCard } from "../model.ts";
import { CardFace } from "./card_face.tsx";
import { CardPanel } from "./card_panel.tsx";
import { codeStateOf, type CodeState } from "./code_state.ts";
import { useTime } from "./hooks.ts";
import { InstallHint } from "./install.tsx";
import { Messages, Reminders } from "./messages.tsx";
import { Numbers } from "./numbers.tsx";
import { addressOf, go } from "./routing.ts";
import { useSurroundings } from "./surroundings.ts";
import { Drawing, DRAWINGS, Segments } from "./widgets.tsx";

export function CardScreen({ card }: { readonly card: WalletCard }): JSX.Element {
  const { language, wallet } = useSurroundings();
  const [profile, chooseProfile] = useProfile(card.id);
  const [areNumbersOpen, openNumbers] = useState(false);
  const state = codeStateOf(card, profile, useTime(1000));
  const swipe = useSwipe(card.id);
  useEffect(() => void wallet.keepLast(card.id), [wallet, card.id]);
  return (
    <div class="screen card-screen">
      <CardBar card={card} />
      <main id="main" class="content" {...swipe}>
        <h1 class="unseen">{card.facts.institution.name}</h1>
        <Messages card={card} />
        <CardFace
          card={card}
          onTap={() => {
            openNumbers(true);
          }}
          isValid={state === "shown" || state === "no_code" || state === "code_expired"}
        >
          <CardPanel card={card} profile={profile} state={state} />
        </CardFace>
        {hasFaces(state) && <Faces profile={profile} onChoose={chooseProfile} />}
        <div class="under-card">
          <Updated card={card} />
          <button
            type="button"
            class="button quiet"
            onClick={() => {
              openNumbers(true);
            }}
          >
            {language.word("numbers")}
          </button>
        </div>
        <Reminders card={card} />
        <InstallHint />
        {areNumbersOpen && (
          <Numbers
            card={card}
            profile={profile}
            onClose={() => {
              openNumbers(false);
            }}
          />
        )}
      </main>
    </div>
  );
}

const WITH_FACES: readonly CodeState[] = ["shown", "no_code", "code_expired"];

function hasFaces(state: CodeState): boolean {
  return WITH_FACES.includes(state);
}

/** What the student chose last for this card; "status" until then. */
export function useProfile(cardId: string): readonly [Profile, (profile: Profile) => void] {
  const { wallet } = useSurroundings();
  const [profile, setProfile] = useState<Profile>("status");
  const name = `profile/${cardId}`;
  useEffect(() => {
    let isWanted = true;
    setProfile("status");
    void wallet.setting(name).then((kept) => {
      if (isWanted && kept === "identity") setProfile("identity");
    });
    return () => {
      isWanted = false;
    };
  }, [wallet, name]);
  const choose = (chosen: Profile): void => {
    setProfile(chosen);
    void wallet.keepSetting(name, chosen);
  };
  return [profile, choose];
}

function Faces({
  profile,
  onChoose,
}: {
  readonly profile: Profile;
  readonly onChoose: (profile: Profile) => void;
}): JSX.Element {
  const { language } = useSurroundings();
  const options = (["status", "identity"] as const).map((value) => ({ value, label: language.word(value) }));
  return (
    <div class="faces">
      <Segments
        legend={language.word("faces")}
        name="face"
        value={profile}
        options={options}
        onChoose={onChoose}
      />
      <p class="hint">{language.word(`${profile}_explained`)}</p>
    </div>
  );
}

/** Which card this is of how many, and the menu. */
function CardBar({ card }: { readonly card: WalletCard }): JSX.Element {
  const { language, cards } = useSurroundings();
  const index = cards.findIndex((one) => one.id === card.id);
  return (
    <header class="bar card-bar">
      <a class="icon-button" href={addressOf({ at: "add" })} aria-label={language.word("take_another")}>
        <Drawing path={DRAWINGS.plus} />
      </a>
      <nav class="switcher" aria-label={language.word("cards_title")}>
        {cards.length > 1 &&
          cards.map((one, place) => (
            <a
              key={one.id}
              class="dot"
              href={addressOf({ at: "card", card: one.id })}
              aria-current={place === index ? "page" : undefined}
              aria-label={`${language.word("card_of", { number: place + 1, count: cards.length })}: ${one.facts.institution.name}`}
            />
          ))}
      </nav>
      <a
        class="icon-button"
        href={addressOf({ at: "card-page", card: card.id, page: "menu" })}
        aria-label={language.word("menu")}
      >
        <Drawing path={DRAWINGS.more} />
      </a>
    </header>
  );
}

const OLD = 7 * 86_400; // seconds; from then on verifiers may refuse for what they know themselves

/** How old the knowledge is, honestly, and a way to ask now. */
function Updated({ card }: { readonly card: WalletCard }): JSX.Element {
  const { language, isOnline, failedAt, update } = useSurroundings();
  const [isBusy, setBusy] = useState(false);
  const since = Math.max(0, useTime(20_000) - card.updatedAt);
  const hasFailed = failedAt !== null && failedAt > card.updatedAt;
  const key = !isOnline ? "updated_offline" : hasFailed ? "updated_failed" : "updated";
  const ask = async (): Promise<void> => {
    setBusy(true);
    await update(card.id);
    setBusy(false);
  };
  return (
    <div class="updated">
      <p>
        {isBusy ? language.word("updating") : language.word(key, { age: language.ago(since) })}
        {since > OLD && <span class="strong"> {language.word("old_knowledge")}</span>}
      </p>
      {isOnline && card.endedAs === null && (
        <button
          type="button"
          class="icon-button refresh"
          aria-disabled={isBusy}
          aria-label={language.word("update_now")}
          onClick={() => !isBusy && void ask()}
        >
          <Drawing path={DRAWINGS.refresh} />
        </button>
      )}
    </div>
  );
}

const FAR = 60; // CSS pixels

/** To the next or the previous card with a finger; the dots and the list do the same. */
function useSwipe(cardId: string): {
  onPointerDown: (event: PointerEvent) => void;
  onPointerUp: (event: PointerEvent) => void;
  onPointerCancel: () => void;
} {
  const { cards } = useSurroundings();
  const from = useRef<{ readonly x: number; readonly y: number } | null>(null);
  return {
    onPointerDown: ({ pointerType, isPrimary, clientX, clientY }) => {
      // A second finger makes the picture larger, a mouse marks text.
      from.current = pointerType === "touch" && isPrimary ? { x: clientX, y: clientY } : null;
    },
    onPointerUp: ({ clientX, clientY }) => {
      if (from.current === null) return;
      const [across, down] = [clientX - from.current.x, clientY - from.current.y];
      from.current = null;
      if (Math.abs(across) < FAR || Math.abs(down) > Math.abs(across) / 2) return;
      const index = cards.findIndex((one) => one.id === cardId) + (across < 0 ? 1 : -1);
      const card = cards[index];
      if (card !== undefined) go({ at: "card", card: card.id });
    },
    onPointerCancel: () => {
      from.current = null; // the browser scrolls
    },
  };
}
