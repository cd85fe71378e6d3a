/** What stands on the card below the student: the code, or why there is none. */

import type { JSX } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";

import type { Profile, WalletCard, WalletRefusal } from "../model.ts";
import type { CodeState } from "./code_state.ts";
import { FullCode } from "./full_code.tsx";
import { useScreenOn } from "./hooks.ts";
import { LiveCode } from "./live_code.tsx";
import { addressOf } from "./routing.ts";
import { useSurroundings } from "./surroundings.ts";
import { Drawing, DRAWINGS } from "./widgets.tsx";

interface PanelProps {
  readonly card: WalletCard;
  readonly profile: Profile;
  readonly state: CodeState;
  readonly challenge?: Uint8Array | undefined;
}

export function CardPanel({ card, profile, state, challenge }: PanelProps): JSX.Element {
  const [isFull, setFull] = useState(false);
  const [lost, setLost] = useState<WalletRefusal | null>(null);
  const close = useCallback(() => {
    setFull(false);
  }, []);
  useEffect(() => {
    setLost(null);
  }, [card.id, profile]);
  const isShown = state === "shown" && lost === null;
  useScreenOn(isShown);
  if (lost !== null) return <Lost refusal={lost} />;
  if (!isShown) return <Without card={card} state={state} />;
  return (
    <div class="panel with-code">
      {!isFull && (
        <LiveCode
          card={card}
          profile={profile}
          challenge={challenge}
          onEnlarge={() => {
            setFull(true);
          }}
          onLost={setLost}
        />
      )}
      {isFull && (
        <FullCode card={card} profile={profile} challenge={challenge} onClose={close} onLost={setLost} />
      )}
    </div>
  );
}

const SIGNS: Readonly<Record<CodeState, string>> = {
  shown: DRAWINGS.key,
  suspended: DRAWINGS.pause,
  revoked: DRAWINGS.stop,
  erased: DRAWINGS.stop,
  expired: DRAWINGS.clock,
  ended: DRAWINGS.phone,
  code_expired: DRAWINGS.clock,
  no_code: DRAWINGS.stop,
};
const HEADINGS: Readonly<Record<CodeState, string>> = {
  shown: "status",
  suspended: "state_suspended",
  revoked: "state_revoked",
  erased: "state_revoked",
  expired: "state_expired",
  ended: "state_ended",
  code_expired: "state_code_expired",
  no_code: "state_no_code",
};
const ADVICE: Readonly<Partial<Record<CodeState, string>>> = {
  suspended: "do_suspended",
  revoked: "do_revoked",
  expired: "do_expired",
  ended: "do_ended",
};

function Without({ card, state }: { readonly card: WalletCard; readonly state: CodeState }): JSX.Element {
  const { language } = useSurroundings();
  const { reason, expiresOn } = card.facts;
  const why = state === "ended" ? `why_${card.endedAs ?? "by_phone"}` : `why_${state}`;
  const advice = ADVICE[state];
  const hasReason = (state === "suspended" || state === "revoked") && reason !== null;
  return (
    <div class={`panel without ${state}`}>
      <Drawing path={SIGNS[state]} kind="sign" />
      <h2>{language.word(HEADINGS[state])}</h2>
      <p>{language.word(why, { day: language.calendarDay(expiresOn) })}</p>
      {hasReason && <p class="strong">{language.word("reason", { reason })}</p>}
      {advice !== undefined && <p>{language.word(advice)}</p>}
      {(state === "ended" || state === "expired") && <TakeAgain />}
    </div>
  );
}

function Lost({ refusal }: { readonly refusal: WalletRefusal }): JSX.Element {
  const { language } = useSurroundings();
  const { sentence, hint } = language.refusal(refusal.refusal);
  return (
    <div class="panel without lost">
      <Drawing path={DRAWINGS.key} kind="sign" />
      <h2>{sentence}</h2>
      <p>{hint}</p>
      <TakeAgain />
    </div>
  );
}

function TakeAgain(): JSX.Element {
  const { language } = useSurroundings();
  return (
    <a class="button primary" href={addressOf({ at: "add" })}>
      {language.word("take_card")}
    </a>
  );
}
