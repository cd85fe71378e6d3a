/** Taking a card, from the offer to the card; after any failure it goes on from where it was. */

import type { JSX } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";

import { WalletRefusal, type Enrolment, type RefusalName } from "../model.ts";
import { useTask } from "./hooks.ts";
import { OfferCamera } from "./offer_camera.tsx";
import { PastedText } from "./pasted_text.tsx";
import { go } from "./routing.ts";
import { useSurroundings } from "./surroundings.ts";
import { TxCode } from "./tx_code.tsx";
import { Button, Refused, Screen } from "./widgets.tsx";

/** After these the same enrolment cannot succeed any more. */
const DEAD: readonly RefusalName[] = [
  "tx-code-dead",
  "offer-expired",
  "offer-used",
  "offer-malformed",
  "issuer-not-safe",
];
/** After these the same link cannot be read any more, either. */
const UNREADABLE: readonly RefusalName[] = [...DEAD, "offer-cut", "issuer-unknown"];

export function AddScreen({
  offer,
  onOfferTaken,
}: {
  readonly offer: string | null;
  readonly onOfferTaken: () => void;
}): JSX.Element {
  const { language, wallet, unfinished } = useSurroundings();
  const [begun, setBegun] = useState<Enrolment | null>(null);
  // The address bar has forgotten it: this is all that a second try has.
  const [asked, setAsked] = useState<string | null>(null);
  const task = useTask();
  const { run } = task;
  const read = useCallback(
    (text: string) => {
      setAsked(text);
      void run(async () => {
        setBegun(await wallet.beginEnrolment(text));
      });
    },
    [run, wallet],
  );
  useEffect(() => {
    if (offer === null) return;
    onOfferTaken();
    read(offer);
  }, [offer, onOfferTaken, read]);
  const others = unfinished.filter(({ id }) => id !== begun?.id);
  return (
    <Screen title={language.word("add_title")} back={{ at: "home" }}>
      {begun === null ? (
        <>
          {task.isBusy ? <p role="status">{language.word("loading")}</p> : <AskForOffer onRead={read} />}
          <Refused refusal={task.refusal} />
          {asked !== null && task.refusal !== null && !UNREADABLE.includes(task.refusal.refusal) && (
            <Button
              kind="primary"
              onPress={() => {
                read(asked);
              }}
            >
              {language.word("retry")}
            </Button>
          )}
          {others.length > 0 && <Unfinished enrolments={others} onGoOn={setBegun} />}
        </>
      ) : (
        <Take
          key={begun.id}
          enrolment={begun}
          onDead={() => {
            setBegun(null);
          }}
        />
      )}
    </Screen>
  );
}

function AskForOffer({ onRead }: { readonly onRead: (text: string) => void }): JSX.Element {
  const { language } = useSurroundings();
  return (
    <>
      <p>{language.word("add_intro")}</p>
      <OfferCamera onSeen={onRead} />
      <PastedText
        label="add_paste"
        button="add_read"
        onRead={(text) => {
          onRead(text.trim());
        }}
      />
    </>
  );
}

function Unfinished({
  enrolments,
  onGoOn,
}: {
  readonly enrolments: readonly Enrolment[];
  readonly onGoOn: (enrolment: Enrolment) => void;
}): JSX.Element {
  const { language, wallet } = useSurroundings();
  return (
    <section class="stack">
      <h2>{language.word("unfinished_title")}</h2>
      {enrolments.map((enrolment) => (
        <div class="message" key={enrolment.id}>
          <p>{language.word("unfinished_line", { institution: enrolment.institutionName })}</p>
          <div class="row">
            <Button
              kind="primary"
              onPress={() => {
                onGoOn(enrolment);
              }}
            >
              {language.word("go_on")}
            </Button>
            <Button onPress={() => void wallet.abandon(enrolment.id)}>{language.word("abandon")}</Button>
          </div>
        </div>
      ))}
    </section>
  );
}

function Take({
  enrolment,
  onDead,
}: {
  readonly enrolment: Enrolment;
  readonly onDead: () => void;
}): JSX.Element {
  const { language, wallet, unfinished } = useSurroundings();
  const task = useTask();
  const now = unfinished.find(({ id }) => id === enrolment.id) ?? enrolment;
  const isDead = task.refusal !== null && DEAD.includes(task.refusal.refusal);
  // Once the code was accepted it is not asked again.
  const asksCode = now.needsTxCode;
  const take = (txCode: string | null): void => {
    void task.run(async () => {
      const card = await wallet.goOn(enrolment.id, txCode);
      const asksConsent = card.consent?.givenAt === null;
      const { id } = card;
      go(asksConsent ? { at: "card-page", card: id, page: "consent" } : { at: "card", card: id });
    });
  };
  const giveUp = (): void => {
    void wallet.abandon(enrolment.id).then(onDead);
  };
  return (
    <>
      <p class="lead">{language.word("offer_from", { institution: enrolment.institutionName })}</p>
      {task.isBusy ? (
        <Progress step={now.step} />
      ) : (
        <>
          <Refused refusal={task.refusal} />
          <TriesLeft refusal={task.refusal} />
          {isDead ? (
            <Button kind="primary" onPress={giveUp}>
              {language.word("continue")}
            </Button>
          ) : (
            <TxCode
              isAsked={asksCode}
              length={enrolment.txCodeLength}
              isRetry={task.refusal !== null}
              onGive={take}
            />
          )}
          <WhatHappens />
        </>
      )}
    </>
  );
}

function TriesLeft({ refusal }: { readonly refusal: WalletRefusal | null }): JSX.Element | null {
  const { language } = useSurroundings();
  const left = refusal?.refusal === "tx-code-wrong" ? refusal.values["left"] : undefined;
  return left === undefined ? null : <p class="strong">{language.word("tries_left", { count: left })}</p>;
}

const STEPS = ["token", "credentials", "done"] as const;

function Progress({ step }: { readonly step: Enrolment["step"] }): JSX.Element {
  const { language } = useSurroundings();
  const at = Math.max(0, STEPS.indexOf(step === "offer" ? "token" : step));
  const said = language.word(`step_${STEPS[at] ?? "token"}`);
  return (
    <div class="stack progress">
      <progress value={at + 1} max={STEPS.length} aria-label={language.word("progress")} />
      <p role="status">{said}</p>
    </div>
  );
}

function WhatHappens(): JSX.Element {
  const { language } = useSurroundings();
  return (
    <section class="stack">
      <h2>{language.word("what_happens")}</h2>
      <ol class="steps">
        {["what_key", "what_card", "what_old"].map((step) => (
          <li key={step}>{language.word(step)}</li>
        ))}
      </ol>
    </section>
  );
}
