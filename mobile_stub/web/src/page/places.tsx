/** Which screen stands where. */

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import type { WalletCard } from "../model.ts";
import { AboutScreen } from "./about_screen.tsx";
import { AddScreen } from "./add_screen.tsx";
import { AnswerScreen } from "./answer_screen.tsx";
import type { Opening } from "./app.tsx";
import { CardScreen } from "./card_screen.tsx";
import { ConsentScreen } from "./consent_screen.tsx";
import { DevicesScreen } from "./devices_screen.tsx";
import { CardsScreen, WelcomeScreen } from "./home_screens.tsx";
import { MenuScreen } from "./menu_screen.tsx";
import { PassesScreen } from "./passes_screen.tsx";
import { PhotoScreen } from "./photo_screen.tsx";
import { PrintScreen } from "./print_screen.tsx";
import { usePlace, type CardPage } from "./routing.ts";
import { SettingsScreen } from "./settings_screen.tsx";
import { ChallengeScreen, ForgetScreen, ShownScreen } from "./small_screens.tsx";
import { useSurroundings } from "./surroundings.ts";
import { TakeScreen } from "./take_screen.tsx";

export function ShownPlace({ opening }: { readonly opening: Opening }): JSX.Element {
  const { cards, language } = useSurroundings();
  const place = usePlace();
  const [said, say] = useState<string | null>(null);
  const [last, setLast] = useState(opening.lastCard);
  const named = place.at === "card" || place.at === "card-page" ? place.card : last;
  const card = cards.find(({ id }) => id === named) ?? (place.at === "home" ? cards[0] : undefined);
  const shownId = card?.id ?? null;
  useEffect(() => {
    if (shownId !== null) setLast(shownId);
  }, [shownId]);
  useEffect(() => {
    if (place.at !== "home") say(null);
  }, [place.at]);
  switch (place.at) {
    case "add":
      return <AddScreen />;
    case "take":
      return <TakeScreen key={place.enrolment} id={place.enrolment} />;
    case "cards":
      return <CardsScreen />;
    case "shown":
      return <ShownScreen />;
    case "settings":
      return <SettingsScreen />;
    case "about":
      return <AboutScreen />;
    case "home":
    case "card":
    case "card-page":
      return (
        <>
          {said !== null && (
            <p class="message toast" role="status">
              {language.word(said)}
            </p>
          )}
          {card === undefined ? (
            <WelcomeScreen areCardsLost={opening.areCardsLost} />
          ) : place.at === "card-page" ? (
            <PageOfCard key={card.id} card={card} page={place.page} onSay={say} />
          ) : (
            <CardScreen key={card.id} card={card} />
          )}
        </>
      );
  }
}

interface PageOfCardProps {
  readonly card: WalletCard;
  readonly page: CardPage;
  readonly onSay: (key: string) => void;
}

function PageOfCard({ card, page, onSay }: PageOfCardProps): JSX.Element {
  switch (page) {
    case "menu":
      return <MenuScreen card={card} />;
    case "devices":
      return <DevicesScreen card={card} />;
    case "consent":
      return <ConsentScreen card={card} />;
    case "photo":
      return <PhotoScreen card={card} />;
    case "print":
      return <PrintScreen card={card} />;
    case "passes":
      return <PassesScreen card={card} />;
    case "challenge":
      return <ChallengeScreen card={card} />;
    case "answer":
      return <AnswerScreen card={card} />;
    case "forget":
      return <ForgetScreen card={card} onSay={onSay} />;
  }
}
