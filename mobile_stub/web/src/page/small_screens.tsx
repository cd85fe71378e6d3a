/** The scanner's digits, deleting a card, and what was shown: a screen each. */

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import type { Showing, WalletCard } from "../model.ts";
import { CardFace } from "./card_face.tsx";
import { useProfile } from "./card_screen.tsx";
import { CardPanel } from "./card_panel.tsx";
import { codeStateOf } from "./code_state.ts";
import { useTask, useTime } from "./hooks.ts";
import type { Language } from "./languages.ts";
import { ClockFault } from "./messages.tsx";
import { go } from "./routing.ts";
import { useSurroundings } from "./surroundings.ts";
import { Button, Field, Refused, Said, Screen } from "./widgets.tsx";

interface OfCard {
  readonly card: WalletCard;
}

export function ChallengeScreen({ card }: OfCard): JSX.Element {
  const { language } = useSurroundings();
  const [text, setText] = useState("");
  const [challenge, setChallenge] = useState<Uint8Array | undefined>(undefined);
  const [profile] = useProfile(card.id);
  const state = codeStateOf(card, profile, useTime(1000));
  return (
    <Screen title={language.word("challenge_title")} back={{ at: "card-page", card: card.id, page: "menu" }}>
      {challenge === undefined ? (
        <form
          class="stack"
          onSubmit={(event) => {
            event.preventDefault();
            if (text !== "") setChallenge(new TextEncoder().encode(text));
          }}
        >
          <ClockFault card={card} />
          <p>{language.word("challenge_intro")}</p>
          <Field label={language.word("challenge_label")}>
            <input
              class="tx-code"
              inputMode="numeric"
              autocomplete="off"
              maxLength={12}
              value={text}
              onInput={({ currentTarget }) => {
                setText(currentTarget.value.replace(/\s/g, ""));
              }}
            />
          </Field>
          <Button kind="primary" submit>
            {language.word("challenge_show")}
          </Button>
        </form>
      ) : (
        <>
          <p class="strong">{language.word("challenge_showing", { digits: text })}</p>
          <CardFace card={card} isValid={state === "shown"}>
            <CardPanel card={card} profile={profile} state={state} challenge={challenge} />
          </CardFace>
        </>
      )}
    </Screen>
  );
}

export function ForgetScreen({
  card,
  onSay,
}: OfCard & { readonly onSay: (key: string) => void }): JSX.Element {
  const { language, wallet } = useSurroundings();
  const task = useTask();
  const forget = (): void => {
    void task.run(async () => {
      const { serviceKnows } = await wallet.forget(card.id);
      onSay(serviceKnows ? "forgotten" : "forgotten_alone");
      go({ at: "home" });
    });
  };
  return (
    <Screen title={language.word("forget_title")} back={{ at: "card-page", card: card.id, page: "menu" }}>
      <p class="lead">{card.facts.institution.name}</p>
      <p>{language.word("forget_text")}</p>
      <Refused refusal={task.refusal} />
      <div class="row">
        <Button kind="danger" isBusy={task.isBusy} onPress={forget}>
          {language.word("forget_now")}
        </Button>
        <Button
          onPress={() => {
            go({ at: "card", card: card.id });
          }}
        >
          {language.word("cancel")}
        </Button>
      </div>
    </Screen>
  );
}

export function ShownScreen(): JSX.Element {
  const { language, wallet, cards } = useSurroundings();
  const [showings, setShowings] = useState<readonly Showing[] | null>(null);
  const [said, say] = useState("");
  useEffect(() => void wallet.showings().then(setShowings), [wallet]);
  const nameOf = (cardId: string): string =>
    cards.find(({ id }) => id === cardId)?.facts.institution.name ?? "";
  const wipe = async (): Promise<void> => {
    await wallet.deleteShowings();
    setShowings([]);
    say(language.word("shown_deleted"));
  };
  const newestFirst = [...(showings ?? [])].sort((one, other) => other.at - one.at);
  return (
    <Screen title={language.word("shown_title")} back={{ at: "home" }}>
      <p>{language.word("shown_intro")}</p>
      {showings?.length === 0 && <p class="quiet">{language.word("shown_none")}</p>}
      <ul class="plain-list lines">
        {newestFirst.map((showing) => (
          <li key={`${showing.cardId} ${showing.profile} ${showing.at}`}>
            <p class="strong">{language.moment(showing.at)}</p>
            <p>
              {nameOf(showing.cardId)} · {shownAs(showing, language)}
            </p>
          </li>
        ))}
      </ul>
      {newestFirst.length > 0 && (
        <Button kind="danger" onPress={() => void wipe()}>
          {language.word("shown_delete")}
        </Button>
      )}
      <Said>{said}</Said>
    </Screen>
  );
}

function shownAs({ profile, told }: Showing, language: Language): string {
  if (profile !== "answer") return language.word(profile);
  const { to = "", claims = [] } = told ?? {};
  if (claims.length === 0) return language.word("shown_answer_bare", { to });
  return language.word("shown_answer", { to, claims: claims.map((one) => language.claim(one)).join(", ") });
}
