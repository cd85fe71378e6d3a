/** From an offer that was read to the card; after any failure it goes on from where it was. */

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import type { Enrolment, RefusalName, WalletRefusal } from "../model.ts";
import { useTask } from "./hooks.ts";
import { goInstead } from "./routing.ts";
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

/** In a page that was loaded anew, too: the address names what was begun. */
export function TakeScreen({ id }: { readonly id: string }): JSX.Element {
  const { language } = useSurroundings();
  const begun = useBegun(id);
  return (
    <Screen title={language.word("add_title")} back={{ at: "home" }}>
      {begun !== null && <Take enrolment={begun} />}
    </Screen>
  );
}

/** What was begun by this name; where it has ended, its card or the beginning is shown instead. */
function useBegun(id: string): Enrolment | null {
  const { wallet, unfinished, cards } = useSurroundings();
  const [begun, setBegun] = useState(() => unfinished.find((one) => one.id === id) ?? null);
  const isCard = cards.some((card) => card.id === id);
  useEffect(() => {
    if (begun !== null) return;
    void wallet.unfinished().then((all) => {
      const found = all.find((one) => one.id === id);
      if (found !== undefined) setBegun(found);
      else goInstead(isCard ? { at: "card", card: id } : { at: "add" });
    });
  }, [wallet, begun, id, isCard]);
  return begun;
}

function Take({ enrolment }: { readonly enrolment: Enrolment }): JSX.Element {
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
      goInstead(asksConsent ? { at: "card-page", card: id, page: "consent" } : { at: "card", card: id });
    });
  };
  const giveUp = (): void => {
    void wallet.abandon(enrolment.id).then(() => {
      goInstead({ at: "add" });
    });
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
