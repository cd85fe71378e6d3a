/** Who asks, as far as the code says, and what they would be told: the student decides. */

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import type { AskedPresentation, PossibleAnswer, WalletCard } from "../model.ts";
import { ClockFault } from "./messages.tsx";
import { Pieces } from "./numbers.tsx";
import { useSurroundings } from "./surroundings.ts";
import { Button, Segments } from "./widgets.tsx";

interface ConsentProps {
  readonly asked: AskedPresentation;
  /** The card from whose menu this was opened. */
  readonly card: WalletCard;
  readonly isBusy: boolean;
  readonly onAgree: (cardId: string, request: string, claims: readonly string[]) => void;
  readonly onDecline: () => void;
}

export function AnswerConsent({ asked, card, isBusy, onAgree, onDecline }: ConsentProps): JSX.Element {
  const { language, cards } = useSurroundings();
  const [chosen, choose] = useState(card.id);
  const lead = useRef<HTMLParagraphElement>(null);
  useEffect(() => lead.current?.focus(), []);
  const answer = asked.answers.find(({ cardId }) => cardId === chosen);
  return (
    <>
      <p class="lead" tabIndex={-1} ref={lead}>
        {language.word("answer_asks", { asker: asked.asker })}
      </p>
      <p class="message warning">{language.word("answer_unproven")}</p>
      {answer !== undefined && asked.answers.length > 1 && (
        <Segments
          legend={language.word("answer_which")}
          isLegendSeen
          name="card"
          value={answer.cardId}
          options={asked.answers.map(({ cardId }) => ({ value: cardId, label: nameOf(cardId, cards) }))}
          onChoose={choose}
        />
      )}
      {answer === undefined ? (
        <OtherCards answers={asked.answers} onChoose={choose} onDecline={onDecline} />
      ) : (
        <Decide
          key={answer.cardId}
          answer={answer}
          isBusy={isBusy}
          onAgree={(claims) => {
            onAgree(answer.cardId, asked.request, claims);
          }}
          onDecline={onDecline}
        />
      )}
    </>
  );
}

interface DecideProps {
  readonly answer: PossibleAnswer;
  readonly isBusy: boolean;
  readonly onAgree: (claims: readonly string[]) => void;
  readonly onDecline: () => void;
}

function Decide({ answer, isBusy, onAgree, onDecline }: DecideProps): JSX.Element {
  const { language, cards } = useSurroundings();
  const [kept, setKept] = useState<readonly string[]>([]);
  const { cardId, claims, missing } = answer;
  const card = cards.find(({ id }) => id === cardId);
  const institution = card?.facts.institution.name ?? "";
  const names = claims.map(({ name }) => name);
  return (
    <>
      {card !== undefined && <ClockFault card={card} />}
      <dl class="explained">
        <dt>{language.word("answer_always")}</dt>
        <dd>{language.word("answer_always_text", { institution })}</dd>
      </dl>
      <Claims claims={claims} kept={kept} onKeep={setKept} />
      {missing.length > 0 && (
        <p>
          {language.word("answer_missing", { names: missing.map((one) => language.claim(one)).join(", ") })}
        </p>
      )}
      <div class="answer-choice">
        <Button
          isBusy={isBusy}
          onPress={() => {
            onAgree(names.filter((name) => !kept.includes(name)));
          }}
        >
          {language.word("answer_agree")}
        </Button>
        <Button onPress={onDecline}>{language.word("answer_decline")}</Button>
      </div>
    </>
  );
}

interface ClaimsProps {
  readonly claims: PossibleAnswer["claims"];
  /** Names of those that the student keeps back. */
  readonly kept: readonly string[];
  readonly onKeep: (kept: readonly string[]) => void;
}

function Claims({ claims, kept, onKeep }: ClaimsProps): JSX.Element {
  const { language } = useSurroundings();
  if (claims.length === 0) return <p>{language.word("answer_no_claims")}</p>;
  return (
    <fieldset class="choices">
      <legend>{language.word("answer_told")}</legend>
      {claims.map(({ name, value }) => (
        <label key={name}>
          <input
            type="checkbox"
            checked={!kept.includes(name)}
            onChange={({ currentTarget: { checked } }) => {
              onKeep(checked ? kept.filter((one) => one !== name) : [...kept, name]);
            }}
          />
          <span class="claim">
            <span class="hint">{language.claim(name)}</span>
            <span class="strong">
              <Pieces text={name === "academic_level" ? language.level(value) : value} />
            </span>
          </span>
        </label>
      ))}
      <p class="hint">{language.word("answer_told_hint")}</p>
    </fieldset>
  );
}

interface OtherCardsProps {
  readonly answers: readonly PossibleAnswer[];
  readonly onChoose: (cardId: string) => void;
  readonly onDecline: () => void;
}

/** Nobody answers with another card than they think: it is chosen by name. */
function OtherCards({ answers, onChoose, onDecline }: OtherCardsProps): JSX.Element {
  const { language, cards } = useSurroundings();
  return (
    <>
      <p>{language.word("answer_other")}</p>
      {answers.map(({ cardId }) => (
        <Button
          key={cardId}
          onPress={() => {
            onChoose(cardId);
          }}
        >
          {nameOf(cardId, cards)}
        </Button>
      ))}
      <Button onPress={onDecline}>{language.word("answer_decline")}</Button>
    </>
  );
}

function nameOf(cardId: string, cards: readonly WalletCard[]): string {
  return cards.find(({ id }) => id === cardId)?.facts.institution.name ?? "";
}
