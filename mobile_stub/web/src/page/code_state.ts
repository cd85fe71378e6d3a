/** Whether a card's code may be shown, and why not. */

import type { Profile, WalletCard } from "../model.ts";

export type CodeState =
  "shown" | "suspended" | "revoked" | "erased" | "expired" | "ended" | "code_expired" | "no_code";

export function codeStateOf(card: WalletCard, profile: Profile, at: number): CodeState {
  const { facts } = card;
  if (facts.state === "revoked") return facts.reason === "erased" && facts.name === "" ? "erased" : "revoked";
  if (card.endedAs !== null) return "ended";
  if (facts.state === "suspended") return "suspended";
  if (facts.state === "expired" || lastSecondOf(facts.expiresOn) <= at) return "expired";
  const code = card.codes[profile];
  if (code === undefined) return "no_code";
  return code.expiresAt <= at ? "code_expired" : "shown";
}

/** When the day is over everywhere that this card's day counts (00:00 UTC after it). */
function lastSecondOf(day: string): number {
  return Date.parse(`${day}T00:00:00Z`) / 1000 + 86_400;
}

const MOST_AHEAD = 10; // seconds; verifiers take 15
const MOST_BEHIND = 25; // seconds; verifiers take 45, and a code is shown for 15 of them

/** How wrong this phone's clock is, when codes would be refused for it. */
export function clockFault(card: WalletCard): "clock_ahead" | "clock_behind" | null {
  if (card.clockAhead > MOST_AHEAD) return "clock_ahead";
  return card.clockAhead < -MOST_BEHIND ? "clock_behind" : null;
}
