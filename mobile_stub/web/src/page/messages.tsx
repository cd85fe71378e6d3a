/** What the student should know: above the card what matters for showing it, below it what can wait. */

import type { JSX } from "preact";

import type { WalletCard } from "../model.ts";
import { clockFault, codeStateOf } from "./code_state.ts";
import { addressOf, type Place } from "./routing.ts";
import { now, useSurroundings } from "./surroundings.ts";

export function Messages({ card }: { readonly card: WalletCard }): JSX.Element {
  const { language, wallet } = useSurroundings();
  return (
    <div class="messages" role="status">
      <ClockFault card={card} />
      {card.notices.length > 0 && (
        <div class="message">
          <ul class="plain-list">
            {card.notices.map((notice) => (
              <li key={`${notice.kind} ${notice.at}`}>
                {language.word(`notice_${notice.kind}`)}{" "}
                <span class="quiet">{language.moment(notice.at)}</span>
              </li>
            ))}
          </ul>
          <button type="button" class="button quiet" onClick={() => void wallet.dismissNotices(card.id)}>
            {language.word("understood")}
          </button>
        </div>
      )}
    </div>
  );
}

/** Nobody at a counter has to scroll past these to the code. */
export function Reminders({ card }: { readonly card: WalletCard }): JSX.Element {
  const { language, updateWaiting } = useSurroundings();
  return (
    <div class="messages" role="status">
      {asksConsent(card, now()) && <AskConsent card={card} />}
      <Begun />
      {updateWaiting !== null && (
        <div class="message">
          <p>{language.word("update_waiting")}</p>
          <button type="button" class="button quiet" onClick={updateWaiting}>
            {language.word("update_take")}
          </button>
        </div>
      )}
    </div>
  );
}

/** Not for a card that is over: it is registered nowhere any more. */
function asksConsent(card: WalletCard, at: number): boolean {
  const isOver = ["revoked", "erased", "expired", "ended"].includes(codeStateOf(card, "status", at));
  return card.consent?.givenAt === null && !isOver;
}

/** Cards that are not all here yet, and an offer that is not read yet. */
export function Begun(): JSX.Element {
  const { language, unfinished, keptOffer } = useSurroundings();
  const lines = unfinished.map(({ id, step, institutionName: institution }): [string, Place] => [
    language.word(step === "offer" ? "offer_from" : "unfinished_line", { institution }),
    { at: "take", enrolment: id },
  ]);
  if (keptOffer !== null) lines.push([language.word("offer_unread"), { at: "add" }]);
  return (
    <>
      {lines.map(([line, place]) => (
        <div class="message" key={addressOf(place)}>
          <p>{line}</p>
          <a class="button quiet" href={addressOf(place)}>
            {language.word("go_on")}
          </a>
        </div>
      ))}
    </>
  );
}

function AskConsent({ card }: { readonly card: WalletCard }): JSX.Element {
  const { language } = useSurroundings();
  return (
    <div class="message">
      <p>{language.word("consent_ask", { institution: card.facts.institution.name })}</p>
      <a class="button quiet" href={addressOf({ at: "card-page", card: card.id, page: "consent" })}>
        {language.word("consent_read")}
      </a>
    </div>
  );
}

/** That codes of this phone would be refused for its clock. */
export function ClockFault({ card }: { readonly card: WalletCard }): JSX.Element | null {
  const { language } = useSurroundings();
  const fault = clockFault(card);
  if (fault === null) return null;
  return (
    <p class="message warning">
      {language.word(fault, { age: language.duration(Math.abs(card.clockAhead)) })}
    </p>
  );
}
