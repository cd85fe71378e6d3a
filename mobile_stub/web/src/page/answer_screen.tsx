/** Answering a scanner that asks: read the request, decide, show the answer's codes. */

import type { JSX } from "preact";
import { useCallback, useState } from "preact/hooks";

import type { AskedPresentation, WalletCard } from "../model.ts";
import { AnswerConsent } from "./answer_consent.tsx";
import { AnswerParts } from "./answer_parts.tsx";
import { useTask } from "./hooks.ts";
import { OfferCamera } from "./offer_camera.tsx";
import { PastedText } from "./pasted_text.tsx";
import { go } from "./routing.ts";
import { now, useSurroundings } from "./surroundings.ts";
import { Refused, Said, Screen } from "./widgets.tsx";

const GOOD_FOR = 90; // seconds; a verifier takes the signature for 105

type Step =
  | { readonly at: "reading" | "declined" }
  | { readonly at: "deciding"; readonly asked: AskedPresentation }
  | { readonly at: "showing"; readonly parts: readonly string[]; readonly until: number };

export function AnswerScreen({ card }: { readonly card: WalletCard }): JSX.Element {
  const { language, wallet } = useSurroundings();
  const [step, setStep] = useState<Step>({ at: "reading" });
  const task = useTask();
  const { run } = task;
  const read = useCallback(
    (text: string) =>
      void run(async () => {
        setStep({ at: "deciding", asked: await wallet.readRequest(text) });
      }),
    [run, wallet],
  );
  const agree = (cardId: string, request: string, claims: readonly string[]): void => {
    void run(async () => {
      const until = Math.floor(now()) + GOOD_FOR; // the signature's time is in whole seconds
      setStep({ at: "showing", parts: await wallet.present(cardId, request, claims), until });
    });
  };
  return (
    <Screen title={language.word("answer_title")} back={{ at: "card-page", card: card.id, page: "menu" }}>
      {step.at === "showing" ? (
        <AnswerParts
          parts={step.parts}
          until={step.until}
          onAgain={() => {
            setStep({ at: "reading" });
          }}
          onDone={() => {
            go({ at: "card", card: card.id });
          }}
        />
      ) : step.at === "deciding" ? (
        <AnswerConsent
          asked={step.asked}
          card={card}
          isBusy={task.isBusy}
          onAgree={agree}
          onDecline={() => {
            setStep({ at: "declined" });
          }}
        />
      ) : (
        <>
          <Said>{step.at === "declined" && language.word("answer_declined")}</Said>
          {!task.isBusy && <AskForRequest onRead={read} />}
        </>
      )}
      <Refused refusal={task.refusal} />
    </Screen>
  );
}

function AskForRequest({ onRead }: { readonly onRead: (text: string) => void }): JSX.Element {
  const { language } = useSurroundings();
  return (
    <>
      <p>{language.word("answer_intro")}</p>
      <OfferCamera aim="answer_aim" onSeen={onRead} />
      <PastedText label="answer_paste" button="answer_read" onRead={onRead} />
    </>
  );
}
