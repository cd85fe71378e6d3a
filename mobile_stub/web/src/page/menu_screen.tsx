/** Everything that is not showing the card. */

import type { JSX } from "preact";

import type { WalletCard } from "../model.ts";
import { addressOf, type CardPage, type Place } from "./routing.ts";
import { useSurroundings } from "./surroundings.ts";
import { Drawing, DRAWINGS, Screen } from "./widgets.tsx";

const FORGET: readonly CardPage[] = ["forget"];
const PAGES: readonly CardPage[] = ["devices", "consent", "photo", "challenge", "answer", "print", "passes"];
const WALLET = ["cards", "shown", "settings", "about"] as const;

export function MenuScreen({ card }: { readonly card: WalletCard }): JSX.Element {
  const { language } = useSurroundings();
  const pages = card.endedAs === null ? [...PAGES, ...FORGET] : FORGET;
  return (
    <Screen title={language.word("menu_title")} back={{ at: "card", card: card.id }}>
      <Links
        title={`${language.word("menu_this_card")}: ${card.facts.institution.name}`}
        links={pages.map((page) => [`menu_${page}`, { at: "card-page", card: card.id, page }])}
      />
      <WalletLinks />
    </Screen>
  );
}

export function WalletLinks(): JSX.Element {
  const { language } = useSurroundings();
  const links = WALLET.map((at): [string, Place] => [`menu_${at}`, { at }]);
  return <Links title={language.word("menu_wallet")} links={[["take_another", { at: "add" }], ...links]} />;
}

function Links({
  title,
  links,
}: {
  readonly title: string;
  readonly links: readonly (readonly [string, Place])[];
}): JSX.Element {
  const { language } = useSurroundings();
  return (
    <nav class="links" aria-label={title}>
      <h2>{title}</h2>
      <ul>
        {links.map(([key, place]) => (
          <li key={key}>
            <a href={addressOf(place)}>
              <span>{language.word(key)}</span>
              <Drawing path={DRAWINGS.next} />
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
