/** What the student should know before showing the card: said once, above it. */

import type { JSX } from "preact";

import type { WalletCard } from "../model.ts";
import { clockFault } from "./code_state.ts";
import { addressOf } from "./routing.ts";
import { useSurroundings } from "./surroundings.ts";

export function Messages({ card }: { readonly card: WalletCard }): JSX.Element {
  const { language, wallet, unfinished, updateWaiting } = useSurroundings();
  return (
    <div class="messages" role="status">
      <ClockFault card={card} />
      {updateWaiting !== null && (
        <div class="message">
          <p>{language.word("update_waiting")}</p>
          <button type="button" class="button quiet" onClick={updateWaiting}>
            {language.word("update_take")}
          </button>
        </div>
      )}
      {unfinished.map((enrolment) => (
        <div class="message" key={enrolment.id}>
          <p>{language.word("unfinished_line", { institution: enrolment.institutionName })}</p>
          <a class="button quiet" href={addressOf({ at: "add" })}>
            {language.word("go_on")}
          </a>
        </div>
      ))}
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
      {card.consent?.givenAt === null && card.endedAs === null && <AskConsent card={card} />}
    </div>
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
