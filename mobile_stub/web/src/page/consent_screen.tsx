/** What leaves for the European router, to whom and when; the student decides. */

import type { JSX } from "preact";
import { useCallback, useState } from "preact/hooks";

import type { WalletCard } from "../model.ts";
import { useLoaded } from "./hooks.ts";
import { go } from "./routing.ts";
import { useSurroundings } from "./surroundings.ts";
import { Asking, Button, Said, Screen } from "./widgets.tsx";

interface Consent {
  readonly givenAt: number | null;
  readonly shares: readonly string[];
}

export function ConsentScreen({ card }: { readonly card: WalletCard }): JSX.Element {
  const { language } = useSurroundings();
  return (
    <Screen title={language.word("consent_title")} back={{ at: "card", card: card.id }}>
      {card.consent === null ? (
        <p>{language.word("consent_not_asked", { institution: card.facts.institution.name })}</p>
      ) : (
        <Decide card={card} />
      )}
    </Screen>
  );
}

function Decide({ card }: { readonly card: WalletCard }): JSX.Element {
  const { language, wallet } = useSurroundings();
  const [said, say] = useState("");
  const loaded = useLoaded<Consent>(useCallback(() => wallet.consent(card.id), [wallet, card.id]));
  const { value: consent, isBusy } = loaded;
  const act = async (work: () => Promise<void>, key: string | null): Promise<void> => {
    say("");
    if ((await loaded.change(work)) && key !== null) say(language.word(key));
  };
  return (
    <>
      <p>{language.word("consent_intro", { institution: card.facts.institution.name })}</p>
      {consent !== null && <WhatLeaves shares={consent.shares} />}
      <p>{language.word("consent_free")}</p>
      <Asking of={loaded} />
      <Said>{said !== "" ? said : consent !== null && stateOf(consent)}</Said>
      {consent !== null && (
        <Choice
          isGiven={consent.givenAt !== null}
          isBusy={isBusy}
          onGive={() => void act(() => wallet.giveConsent(card.id), null)}
          onDecline={() => {
            go({ at: "card", card: card.id });
          }}
          onWithdraw={() => void act(() => wallet.withdrawConsent(card.id), "consent_withdrawn")}
        />
      )}
    </>
  );

  function stateOf({ givenAt }: Consent): string {
    if (givenAt === null) return language.word("consent_not_given");
    return language.word("consent_given", { day: language.day(givenAt) });
  }
}

interface ChoiceProps {
  readonly isGiven: boolean;
  readonly isBusy: boolean;
  readonly onGive: () => void;
  readonly onDecline: () => void;
  readonly onWithdraw: () => void;
}

function Choice({ isGiven, isBusy, onGive, onDecline, onWithdraw }: ChoiceProps): JSX.Element {
  const { language } = useSurroundings();
  if (isGiven) {
    return (
      <Button kind="danger" isBusy={isBusy} onPress={onWithdraw}>
        {language.word("consent_withdraw")}
      </Button>
    );
  }
  return (
    <div class="row">
      <Button kind="primary" isBusy={isBusy} onPress={onGive}>
        {language.word("consent_give")}
      </Button>
      <Button onPress={onDecline}>{language.word("consent_decline")}</Button>
    </div>
  );
}

function WhatLeaves({ shares }: { readonly shares: readonly string[] }): JSX.Element {
  const { language } = useSurroundings();
  return (
    <dl class="explained">
      <dt>{language.word("consent_what")}</dt>
      <dd>
        <ul>
          {shares.map((share) => (
            <li key={share}>{language.share(share)}</li>
          ))}
        </ul>
      </dd>
      <dt>{language.word("consent_whom")}</dt>
      <dd>{language.word("consent_whom_text")}</dd>
      <dt>{language.word("consent_when")}</dt>
      <dd>{language.word("consent_when_text")}</dd>
    </dl>
  );
}
