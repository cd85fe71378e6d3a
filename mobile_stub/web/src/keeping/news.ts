/** What a student should be told once, from how a card was to how it is. */

import type { Notice } from "../model.ts";
import type { CardAnswer } from "../protocol/card_answer.ts";
import type { CardRecord } from "../store/records.ts";

export function newsOf(before: CardRecord, now: CardAnswer, at: number): Notice[] {
  const kinds = [stateNews(before, now), photoNews(before, now)].filter((kind) => kind !== null);
  if (kinds.length === 0 && factsChanged(before, now)) kinds.push("changed");
  return kinds.map((kind) => ({ at, kind }));
}

function stateNews(before: CardRecord, now: CardAnswer): Notice["kind"] | null {
  const { state } = now.facts;
  if (state === before.facts.state) return null;
  return state === "active" ? "reinstated" : state;
}

function photoNews(before: CardRecord, now: CardAnswer): Notice["kind"] | null {
  const state = now.ownPhoto?.state;
  if (before.ownPhoto?.state !== "waiting" || state === "waiting") return null;
  if (state === "approved") return "photo_approved";
  return state === "refused" ? "photo_refused" : null;
}

/** What stands on the card. */
function factsChanged(before: CardRecord, now: CardAnswer): boolean {
  // Until the first answer, what is known is read from the credentials: that is no news.
  if (before.etag === null && before.renewal === null) return false;
  const written = ({ facts }: Pick<CardRecord, "facts">): string =>
    JSON.stringify([facts.name, facts.academicLevel, facts.expiresOn, facts.institution.name]);
  return written(before) !== written(now);
}
