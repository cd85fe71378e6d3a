/** The first screen without a card, and the list of all cards. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { CardFace } from "./card_face.tsx";
import { codeStateOf } from "./code_state.ts";
import { useTime } from "./hooks.ts";
import { Begun } from "./messages.tsx";
import { addressOf } from "./routing.ts";
import { useSurroundings } from "./surroundings.ts";
import { Button, Screen } from "./widgets.tsx";

export function WelcomeScreen({ areCardsLost }: { readonly areCardsLost: boolean }): JSX.Element {
  const { language, unfinished, keptOffer, updateWaiting } = useSurroundings();
  const hasBegun = unfinished.length > 0 || keptOffer !== null;
  return (
    <div class="screen welcome">
      <main id="main" class="content">
        <img src="./icon.svg" alt="" width="112" height="112" />
        <h1>{language.word("welcome_title")}</h1>
        {!areCardsLost && <p class="lead">{language.word("welcome_text")}</p>}
        {!areCardsLost && <p>{language.word("welcome_how")}</p>}
        {areCardsLost && <Loss />}
        <Begun />
        <a class={`button ${hasBegun ? "" : "primary"}`} href={addressOf({ at: "add" })}>
          {language.word(hasBegun ? "take_another" : "take_card")}
        </a>
        {updateWaiting !== null && (
          <button type="button" class="button quiet" onClick={updateWaiting}>
            {language.word("update_waiting")} {language.word("update_take")}
          </button>
        )}
        <p class="row centred">
          <a href={addressOf({ at: "settings" })}>{language.word("menu_settings")}</a>
          <a href={addressOf({ at: "about" })}>{language.word("menu_about")}</a>
        </p>
      </main>
    </div>
  );
}

/** That the browser has deleted the cards: said at each opening until the student knows. */
function Loss(): JSX.Element | null {
  const { language, wallet } = useSurroundings();
  const [isKnown, setKnown] = useState(false);
  if (isKnown) return null;
  const admit = (): void => {
    wallet.admitLoss();
    setKnown(true);
  };
  return (
    <div class="message warning" role="alert">
      <p>{language.word("cards_lost")}</p>
      <Button kind="quiet" onPress={admit}>
        {language.word("understood")}
      </Button>
    </div>
  );
}

export function CardsScreen(): JSX.Element {
  const { language, cards } = useSurroundings();
  const at = useTime(60_000);
  return (
    <Screen title={language.word("cards_title")} back={{ at: "home" }}>
      <ul class="plain-list stack">
        {cards.map((card) => {
          const state = codeStateOf(card, "status", at);
          const isValid = state === "shown" || state === "code_expired" || state === "no_code";
          return (
            <li key={card.id}>
              <a class="card-link" href={addressOf({ at: "card", card: card.id })}>
                <CardFace card={card} isValid={isValid} isSmall>
                  {!isValid && (
                    <p class="card-state">
                      {language.word(state === "erased" ? "state_revoked" : `state_${state}`)}
                    </p>
                  )}
                </CardFace>
              </a>
            </li>
          );
        })}
      </ul>
      <a class="button primary" href={addressOf({ at: "add" })}>
        {language.word(cards.length > 0 ? "take_another" : "take_card")}
      </a>
    </Screen>
  );
}
