/** Answering a provider's request: by a card that may be shown, with what the student agreed to. */

import { splitPresentation } from "../codes/parts.ts";
import { WalletRefusal, type AskedPresentation, type PossibleAnswer } from "../model.ts";
import { answerable, presentation, type Answerable } from "../protocol/disclosing.ts";
import { parseRequest, type PresentationRequest } from "../protocol/request.ts";
import type { Database } from "../store/database.ts";
import type { CardRecord } from "../store/records.ts";
import { keyOf } from "./proving.ts";
import { isShowable } from "./showing.ts";

/** Who asks, and the cards that can answer now; the refusal says why none can. */
export function askedOf(cards: readonly CardRecord[], text: string, now: number): AskedPresentation {
  const request = parseRequest(text);
  const refusals: WalletRefusal[] = [];
  const answers = cards.flatMap((card): PossibleAnswer[] => {
    const answer = answerOf(card, request, now);
    if (!(answer instanceof WalletRefusal)) return [possible(card.id, answer)];
    refusals.push(answer);
    return [];
  });
  const nearest = refusals.find(({ refusal }) => refusal !== "request-other-type") ?? refusals[0];
  if (answers.length === 0) throw nearest ?? new WalletRefusal("request-other-type");
  return { request: text, asker: request.audience, answers };
}

/** The texts of the codes that answer, and to whom they do. */
export async function answerWith(
  database: Database,
  card: CardRecord,
  asked: { readonly request: string; readonly agreed: readonly string[]; readonly now: number },
): Promise<{ readonly parts: string[]; readonly to: string; readonly claims: readonly string[] }> {
  const request = parseRequest(asked.request);
  const answer = answerOf(card, request, asked.now);
  if (answer instanceof WalletRefusal) throw answer;
  const { privateKey: key } = await keyOf(database, card.id);
  const agreed = { claims: asked.agreed, key, now: asked.now };
  const parts = await splitPresentation(await presentation(answer, request, agreed));
  if (parts === undefined) throw new WalletRefusal("presentation-too-large");
  const claims = [...answer.disclosures.keys()].filter((name) => asked.agreed.includes(name));
  return { parts, to: request.audience, claims };
}

function answerOf(card: CardRecord, request: PresentationRequest, now: number): Answerable | WalletRefusal {
  const answer = answerable(Object.values(card.credentials), request);
  if (answer === undefined) return new WalletRefusal("request-other-type");
  if (card.endedAs !== null) return new WalletRefusal("device-ended");
  if (!isShowable(card, now)) return new WalletRefusal("card-not-active");
  return now < answer.expiresAt ? answer : new WalletRefusal("credential-over");
}

function possible(cardId: string, { values, missing }: Answerable): PossibleAnswer {
  return { cardId, claims: [...values].map(([name, value]) => ({ name, value })), missing };
}
