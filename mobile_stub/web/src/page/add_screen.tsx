/** The way to a card: an offer's link that was opened, scanned or pasted. */

import type { JSX } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";

import { UNREADABLE } from "../keeping/kept_offer.ts";
import type { Enrolment } from "../model.ts";
import { useTask } from "./hooks.ts";
import { OfferCamera } from "./offer_camera.tsx";
import { PastedText } from "./pasted_text.tsx";
import { addressOf, go, goInstead } from "./routing.ts";
import { useSurroundings } from "./surroundings.ts";
import { Button, Refused, Screen } from "./widgets.tsx";

export function AddScreen(): JSX.Element {
  const { language, wallet, unfinished, keptOffer } = useSurroundings();
  const waiting = useRef(keptOffer);
  // The address bar has forgotten it: a second try takes it from here.
  const [asked, setAsked] = useState<string | null>(null);
  const { isBusy, refusal, run } = useTask();
  const read = useCallback(
    (text: string) => {
      setAsked(text);
      void run(async () => {
        const { id } = await wallet.beginEnrolment(text);
        goInstead({ at: "take", enrolment: id });
      });
    },
    [run, wallet],
  );
  useEffect(() => {
    if (waiting.current !== null) read(waiting.current);
  }, [read]);
  const canRetry = asked !== null && refusal !== null && !UNREADABLE.includes(refusal.refusal);
  return (
    <Screen title={language.word("add_title")} back={{ at: "home" }}>
      {isBusy ? <p role="status">{language.word("loading")}</p> : <AskForOffer onRead={read} />}
      <Refused refusal={refusal} />
      {canRetry && (
        <Unread
          onRetry={() => {
            read(asked);
          }}
        />
      )}
      {unfinished.length > 0 && <Unfinished enrolments={unfinished} />}
    </Screen>
  );
}

/** The offer stays for another try, unless the student lets it be. */
function Unread({ onRetry }: { readonly onRetry: () => void }): JSX.Element {
  const { language, wallet } = useSurroundings();
  const letBe = (): void => {
    void wallet.keepOffer(null).then(() => {
      go({ at: "home" });
    });
  };
  return (
    <div class="row">
      <Button kind="primary" onPress={onRetry}>
        {language.word("retry")}
      </Button>
      <Button onPress={letBe}>{language.word("abandon")}</Button>
    </div>
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

function Unfinished({ enrolments }: { readonly enrolments: readonly Enrolment[] }): JSX.Element {
  const { language, wallet } = useSurroundings();
  return (
    <section class="stack">
      <h2>{language.word("unfinished_title")}</h2>
      {enrolments.map(({ id, step, institutionName: institution }) => (
        <div class="message" key={id}>
          <p>{language.word(step === "offer" ? "offer_from" : "unfinished_line", { institution })}</p>
          <div class="row">
            <a class="button primary" href={addressOf({ at: "take", enrolment: id })}>
              {language.word("go_on")}
            </a>
            <Button onPress={() => void wallet.abandon(id)}>{language.word("abandon")}</Button>
          </div>
        </div>
      ))}
    </section>
  );
}
