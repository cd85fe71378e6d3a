/** The sheet to print: A4 with cards to cut out, by the print part of the style. */

import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

import { drawCode } from "../codes/drawing.ts";
import type { Profile, WalletCard } from "../model.ts";
import { cardColours } from "./colours.ts";
import { codeStateOf } from "./code_state.ts";
import { EscMark, Photo } from "./card_face.tsx";
import { usePicture } from "./hooks.ts";
import { now, useSurroundings } from "./surroundings.ts";
import { Button, Screen } from "./widgets.tsx";

const PROFILES: readonly Profile[] = ["status", "identity"];

export function PrintScreen({ card }: { readonly card: WalletCard }): JSX.Element {
  const { language } = useSurroundings();
  const [chosen, choose] = useState<readonly Profile[]>(["status"]);
  const usable = PROFILES.filter((profile) => codeStateOf(card, profile, now()) === "shown");
  const state = codeStateOf(card, "status", now());
  const printed = usable.filter((profile) => chosen.includes(profile));
  const toggle = (profile: Profile): void => {
    choose(chosen.includes(profile) ? chosen.filter((one) => one !== profile) : [...chosen, profile]);
  };
  return (
    <Screen title={language.word("print_title")} back={{ at: "card-page", card: card.id, page: "menu" }}>
      <p>{language.word("print_intro")}</p>
      {usable.length === 0 ? (
        <p class="message warning">
          {language.word("print_none", {
            reason: language.word(state === "erased" ? "state_revoked" : `state_${state}`),
          })}
        </p>
      ) : (
        <fieldset class="choices">
          <legend>{language.word("faces")}</legend>
          {usable.map((profile) => (
            <label key={profile}>
              <input
                type="checkbox"
                checked={chosen.includes(profile)}
                onChange={() => {
                  toggle(profile);
                }}
              />
              <span>
                {language.word(profile)}
                <span class="hint">{language.word(`${profile}_explained`)}</span>
              </span>
            </label>
          ))}
        </fieldset>
      )}
      {printed.length > 0 && (
        <Button
          kind="primary"
          onPress={() => {
            window.print();
          }}
        >
          {language.word("print_now")}
        </Button>
      )}
      <div class="sheet">
        {printed.map((profile) => (
          <CutOut key={profile} card={card} profile={profile} />
        ))}
      </div>
    </Screen>
  );
}

function CutOut({ card, profile }: { readonly card: WalletCard; readonly profile: Profile }): JSX.Element {
  const { language } = useSurroundings();
  return (
    <section class="cut-out" aria-label={language.word(profile)}>
      <p class="cut-hint">
        {language.word("print_cut")} {language.word(profile)}
      </p>
      <div class="cut-line">
        <Front card={card} />
        <Back card={card} profile={profile} />
      </div>
      <p class="cut-hint">{language.word("print_copy")}</p>
    </section>
  );
}

function Front({ card }: { readonly card: WalletCard }): JSX.Element {
  const { language } = useSurroundings();
  const element = useRef<HTMLDivElement>(null);
  const logo = usePicture(card.look.logo);
  const { facts, look } = card;
  useLayoutEffect(() => {
    const colours = cardColours(look.backgroundColor, look.textColor);
    element.current?.style.setProperty("--card", colours.background);
    element.current?.style.setProperty("--on-card", colours.text);
  }, [look]);
  return (
    <div class="printed front" ref={element}>
      <div class="printed-head">
        {logo !== null && <img class="printed-logo" src={logo} alt="" />}
        <div class="printed-institution">
          <p>{facts.institution.name}</p>
          <p class="printed-country">{language.country(facts.institution.country)}</p>
        </div>
        <EscMark />
      </div>
      <div class="printed-body">
        <Photo card={card} />
        <div>
          <p class="printed-kind">{language.word("student_card")}</p>
          <p class="printed-name">{facts.name}</p>
          {facts.academicLevel !== null && <p>{language.level(facts.academicLevel)}</p>}
          <p>
            {language.word("valid_until")} <strong>{language.calendarDay(facts.expiresOn)}</strong>
          </p>
        </div>
      </div>
    </div>
  );
}

function Back({ card, profile }: { readonly card: WalletCard; readonly profile: Profile }): JSX.Element {
  const { language } = useSurroundings();
  const code = card.codes[profile];
  if (code === undefined) throw new Error(`a card without the code ${profile} is not printed`);
  const { path, size } = drawCode(code.text, "print");
  return (
    <div class="printed back">
      <svg
        class="printed-code"
        viewBox={`0 0 ${size} ${size}`}
        shape-rendering="crispEdges"
        role="img"
        aria-label={language.word("code_static_alt")}
      >
        <rect width={size} height={size} fill="#fff" />
        <path d={path} fill="#000" />
      </svg>
      <div class="printed-words">
        <p>{language.word("number")}</p>
        <p class="printed-number">{card.facts.escn}</p>
        {profile === "identity" && card.esi !== null && (
          <>
            <p>{language.word("esi")}</p>
            <p class="printed-number">{card.esi}</p>
          </>
        )}
        <p>{language.word("print_code_until", { day: language.day(code.expiresAt - 1) })}</p>
      </div>
    </div>
  );
}
