/** The card's numbers in large type, for a person who types them. */

import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

import type { Profile, WalletCard } from "../model.ts";
import { useSurroundings } from "./surroundings.ts";

interface NumbersProps {
  readonly card: WalletCard;
  readonly profile: Profile;
  readonly onClose: () => void;
}

export function Numbers({ card, profile, onClose }: NumbersProps): JSX.Element {
  const { language } = useSurroundings();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  const { facts, esi } = card;
  return (
    <dialog class="numbers" ref={dialog} onClose={onClose} aria-labelledby="numbers-title">
      <h2 id="numbers-title">{language.word("numbers")}</h2>
      <dl>
        <dt>{language.word("name")}</dt>
        <dd>{facts.name}</dd>
        <dt>{language.word("number")}</dt>
        <dd class="number">
          <Pieces text={facts.escn} />
        </dd>
        {profile === "identity" && esi !== null && (
          <>
            <dt>{language.word("esi")}</dt>
            <dd class="number">
              <Pieces text={esi} />
            </dd>
          </>
        )}
        <dt>{language.word("institution")}</dt>
        <dd>
          {facts.institution.name}, {facts.institution.country}, {facts.institution.pic}
        </dd>
        <dt>{language.word("issued_on")}</dt>
        <dd>{language.calendarDay(facts.issuedOn)}</dd>
        <dt>{language.word("valid_until")}</dt>
        <dd>{language.calendarDay(facts.expiresOn)}</dd>
      </dl>
      {profile === "status" && <p class="hint">{language.word("esi_hidden")}</p>}
      <button type="button" class="button" autofocus onClick={() => dialog.current?.close()}>
        {language.word("close")}
      </button>
    </dialog>
  );
}

/** Breaks lines after hyphens and colons only, and can be copied whole. */
export function Pieces({ text }: { readonly text: string }): JSX.Element {
  return (
    <>
      {text.split(/(?<=[-:])/).map((piece, index) => (
        <span key={index} class="piece">
          {piece}
        </span>
      ))}
    </>
  );
}
