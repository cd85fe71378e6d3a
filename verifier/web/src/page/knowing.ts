/** What is known and as of when, in one line. */

import { CardError, type Policy } from "../check/index.ts";
import type { KnowledgeStore } from "./knowledge_store.ts";
import type { Language } from "./languages.ts";
import type { TrustLists } from "./trust_lists.ts";

/** Of all lists. */
export function lineOfAll(lists: TrustLists, language: Language, now: number, policy: Policy | null): string {
  const { asOf, fault, usable } = lists;
  if (usable.length === 0 || asOf === null) {
    return fault === null ? language.word("knowledge_none") : language.refusal(fault.refusal).sentence;
  }
  const what = {
    institutions: sumOf(usable.map(({ trust }) => trust.institutions.size)),
    lists: sumOf(usable.map(({ statusLists }) => statusLists.size)),
    sequence: usable.map(({ trust }) => trust.sequence).join(", "),
  };
  const old = policy !== null && now - asOf > policy.freshFor ? [language.word("knowledge_old")] : [];
  const offline = navigator.onLine ? [] : [language.word("offline")];
  return [momentOf(asOf, language, now), ...old, language.word("knowledge_of", what), ...offline].join(" · ");
}

/** Of one list. */
export function lineOf({ known, asOf }: KnowledgeStore, language: Language, now: number): string {
  if (known instanceof CardError) return language.refusal(known.refusal).sentence;
  if (known === null || asOf === null) return language.word("list_empty");
  const what = {
    institutions: known.trust.institutions.size,
    lists: known.statusLists.size,
    sequence: known.trust.sequence,
  };
  return [momentOf(asOf, language, now), language.word("knowledge_of", what)].join(" · ");
}

function momentOf(asOf: number, language: Language, now: number): string {
  return language.word("known_as_of", { moment: language.moment(asOf), age: language.age(now - asOf) });
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0);
}
