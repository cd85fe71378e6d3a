/** Where in the wallet one is: after the "#" of the address, so that the phone's back button works. */

import { useEffect, useState } from "preact/hooks";

export const CARD_PAGES = [
  "menu",
  "devices",
  "consent",
  "photo",
  "print",
  "passes",
  "challenge",
  "answer",
  "forget",
] as const;
export type CardPage = (typeof CARD_PAGES)[number];
export type Place =
  | { readonly at: "home" | "add" | "cards" | "shown" | "settings" | "about" }
  | { readonly at: "take"; readonly enrolment: string }
  | { readonly at: "card"; readonly card: string }
  | { readonly at: "card-page"; readonly card: string; readonly page: CardPage };

const PLAIN = ["add", "cards", "shown", "settings", "about"] as const;

export function placeOf(hash: string): Place {
  const [first = "", name = "", page = ""] = hash
    .replace(/^#\/?/, "")
    .split("/")
    .map((part) => safelyDecoded(part));
  const plain = PLAIN.find((one) => one === first);
  if (plain !== undefined) return { at: plain };
  if (first === "take" && name !== "") return { at: "take", enrolment: name };
  if (first !== "card" || name === "") return { at: "home" };
  const known = CARD_PAGES.find((one) => one === page);
  return known === undefined ? { at: "card", card: name } : { at: "card-page", card: name, page: known };
}

export function addressOf(place: Place): string {
  if (place.at === "home") return "#/";
  if (place.at === "take") return `#/take/${encodeURIComponent(place.enrolment)}`;
  if (place.at === "card") return `#/card/${encodeURIComponent(place.card)}`;
  if (place.at === "card-page") return `#/card/${encodeURIComponent(place.card)}/${place.page}`;
  return `#/${place.at}`;
}

export function go(place: Place): void {
  location.hash = addressOf(place);
}

/** Goes there; the way back leads to what was before here. */
export function goInstead(place: Place): void {
  location.replace(addressOf(place));
}

export function usePlace(): Place {
  const [place, setPlace] = useState(() => placeOf(location.hash));
  useEffect(() => {
    const moved = (): void => {
      setPlace(placeOf(location.hash));
    };
    window.addEventListener("hashchange", moved);
    return () => {
      window.removeEventListener("hashchange", moved);
    };
  }, []);
  return place;
}

/** The page's own address when it holds an offer, also one that was cut off early. */
export function offerInAddress(): string | null {
  const { href, search, hash } = location;
  return search.startsWith("?cred") || hash.startsWith("#c") ? href : null;
}

/** An offer is a secret, and is for one use: no history keeps it. */
export function wipeOfferFromAddress(): void {
  history.replaceState(null, "", `${location.pathname}#/add`);
}

function safelyDecoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    if (error instanceof URIError) return "";
    throw error;
  }
}
