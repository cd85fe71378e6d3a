/** The card itself, as a thing: the institution's colours, the student, and what stands below. */

import type { ComponentChildren, JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

import type { WalletCard } from "../model.ts";
import { cardColours } from "./colours.ts";
import { usePicture } from "./hooks.ts";
import { useSurroundings } from "./surroundings.ts";
import { Drawing, DRAWINGS } from "./widgets.tsx";

interface CardFaceProps {
  readonly card: WalletCard;
  readonly isValid: boolean;
  readonly isSmall?: boolean;
  /** What a tap on the card does; a button elsewhere does it as well. */
  readonly onTap?: () => void;
  readonly children?: ComponentChildren;
}

export function CardFace({ card, isValid, isSmall = false, onTap, children }: CardFaceProps): JSX.Element {
  const { language } = useSurroundings();
  const element = useRef<HTMLElement>(null);
  const { backgroundColor, textColor } = card.look;
  useLayoutEffect(() => {
    const colours = cardColours(backgroundColor, textColor);
    element.current?.style.setProperty("--card", colours.background);
    element.current?.style.setProperty("--card-shade", colours.shade);
    element.current?.style.setProperty("--on-card", colours.text);
  }, [backgroundColor, textColor]);
  return (
    <article
      ref={element}
      class={`card ${isValid ? "" : "not-valid"} ${isSmall ? "small" : ""}`}
      aria-label={`${language.word("student_card")}, ${card.facts.institution.name}`}
    >
      <div class="card-paper" onClick={onTap}>
        <CardHead card={card} />
        <Holder card={card} />
      </div>
      {children}
    </article>
  );
}

function CardHead({ card }: { readonly card: WalletCard }): JSX.Element {
  const { language } = useSurroundings();
  const logo = usePicture(card.look.logo);
  const { institution } = card.facts;
  return (
    <header class="card-head">
      {logo !== null && (
        <span class="logo">
          <img src={logo} alt="" />
        </span>
      )}
      <div class="institution">
        <p class="institution-name">{institution.name}</p>
        <p class="country">{language.country(institution.country)}</p>
      </div>
      <EscMark />
    </header>
  );
}

function Holder({ card }: { readonly card: WalletCard }): JSX.Element {
  const { language } = useSurroundings();
  const { facts } = card;
  return (
    <div class="holder">
      <Photo card={card} />
      <div class="holder-words">
        <p class="card-kind">{language.word("student_card")}</p>
        <p class="holder-name">{facts.name}</p>
        <dl class="facts">
          {facts.academicLevel !== null && (
            <div>
              <dt>{language.word("level")}</dt>
              <dd>{language.level(facts.academicLevel)}</dd>
            </div>
          )}
          <div>
            <dt>{language.word("valid_until")}</dt>
            <dd>{language.calendarDay(facts.expiresOn)}</dd>
          </div>
        </dl>
      </div>
    </div>
  );
}

export function Photo({ card }: { readonly card: WalletCard }): JSX.Element {
  const { language } = useSurroundings();
  const photo = usePicture(card.photo);
  if (photo !== null) {
    return <img class="photo" src={photo} alt={language.word("photo_of", { name: card.facts.name })} />;
  }
  return (
    <span class="photo none" role="img" aria-label={language.word("photo_none")}>
      <Drawing path={DRAWINGS.person} />
    </span>
  );
}

/** Space for the European Student Card's logo: `esc-mark.svg`, which a deployment replaces. */
export function EscMark(): JSX.Element {
  return <img class="esc-mark" src="./esc-mark.svg" alt="" width="44" height="44" />;
}
