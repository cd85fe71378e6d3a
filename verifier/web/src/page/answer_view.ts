/** The answer, over the whole screen: colour, shape and word; then who, and how well that is known. */

import type { VerifiedCard } from "../check/index.ts";
import { outcomeOf, type Answer, type Outcome } from "./desk.ts";
import { drawing, h } from "./dom.ts";
import type { Language } from "./languages.ts";

// A tick in a circle, an exclamation mark in a triangle, a cross in an octagon.
const SHAPES: Readonly<Record<Outcome, string>> = {
  valid: "M12 1a11 11 0 1 1 0 22a11 11 0 1 1 0-22zM6.5 12.5l4 4l7.5-8.5",
  warned: "M12 2L23 22H1zM12 9v6M12 18.2v.6",
  refused: "M7.5 1h9L23 7.5v9L16.500 23h-9L1 16.500v-9zM8 8l8 8M16 8l-8 8",
};
// What a wrong clock on this device would look like.
const CLOCK_REFUSALS = [
  "CodeFromFuture",
  "NotYetValid",
  "StaleCode",
  "DocumentExpired",
  "DocumentFromFuture",
  "StatusTooOld",
];

export class AnswerView {
  readonly element = h("dialog", {
    class: "answer",
    "aria-labelledby": "outcome",
    "aria-describedby": "facts",
  });
  readonly #done: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(done: () => void) {
    this.#done = done;
    this.element.addEventListener("close", () => {
      clearTimeout(this.#timer);
      this.element.replaceChildren(); // nothing of a card stays in the page
      this.#done();
    });
  }

  get isOpen(): boolean {
    return this.element.open;
  }

  /** Shows an answer, also in the place of one that is there; `nextAfter` seconds later it goes, if not 0. */
  show(answer: Answer, language: Language, nextAfter: number): void {
    const outcome = outcomeOf(answer);
    const word = language.word(outcome);
    const next = h("button", { type: "button", class: "next", click: this.close }, language.word("next"));
    this.element.className = `answer ${outcome}`;
    this.element.replaceChildren(
      drawing("outcome", SHAPES[outcome]),
      h("div", { class: "said", "aria-live": "assertive" },
        h("h2", { id: "outcome" }, answer.card === null && answer.refusal === null ? language.word("not_checked") : word),
        h("div", { id: "facts" }, ...factsOf(answer, language)),
      ),
      next,
    ); // prettier-ignore
    if (!this.element.open) this.element.showModal();
    next.focus();
    clearTimeout(this.#timer);
    if (nextAfter > 0) this.#timer = setTimeout(this.close, nextAfter * 1000);
  }

  readonly close = (): void => {
    this.element.close();
  };
}

function factsOf(answer: Answer, language: Language): HTMLElement[] {
  if (answer.card !== null)
    return [...cardFacts(answer.card, answer.checkedAt, language), ...askedFacts(answer, language)];
  if (answer.refusal === null) return [line("sentence", language.word("memory_failed"))];
  const { refusal } = answer.refusal;
  const { sentence, hint } = language.refusal(refusal);
  const lines = [line("sentence", sentence), line("hint", hint)];
  if (CLOCK_REFUSALS.includes(refusal)) {
    lines.push(line("clock", language.word("clock_hint", { moment: language.moment(answer.checkedAt) })));
  }
  if (answer.digits !== undefined && ["BadDeviceSignature", "StaticCode"].includes(refusal)) {
    lines.push(line("digits-hint", language.word("digits_refused", { digits: answer.digits })));
  }
  return [...lines, line("refusal", `[${refusal}]`)];
}

function cardFacts(card: VerifiedCard, now: number, language: Language): HTMLElement[] {
  const about = [
    card.level === null ? null : language.word(card.level),
    language.word("until", { day: language.day(card.expiresAt) }),
  ];
  const asOf = { moment: language.moment(card.statusAsOf), age: language.age(now - card.statusAsOf) };
  const lines = [
    card.freshness === "stale" ? line("warning", language.word("stale_warning")) : null,
    card.name === null ? null : line("name", card.name),
    line("institution", `${card.institution.name} (${card.institution.country})`),
    line("about", about.filter((one) => one !== null).join(" · ")),
    card.esi === null ? null : h("p", { class: "esi" }, ...breakable(card.esi.text)),
    line("evidence", language.word(card.evidence)),
    line("as-of", language.word("as_of", asOf)),
  ];
  return lines.filter((one) => one !== null);
}

/** What was asked for and did not come; what did is shown. */
function askedFacts({ card, asked = [], digits }: Answer, language: Language): HTMLElement[] {
  const missing = asked.filter((claim) => card?.[claim] === null).map((claim) => language.word(claim));
  const lines = missing.length > 0 ? [language.word("not_disclosed", { claims: missing.join(", ") })] : [];
  if (digits !== undefined && card?.evidence === "live")
    lines.push(language.word("digits_signed", { digits }));
  return lines.map((text) => line("asked-facts", text));
}

/** An identifier that goes on in the next line behind a colon only. */
function breakable(text: string): (string | HTMLElement)[] {
  return text.split(/(?<=:)/).flatMap((part, i) => (i === 0 ? [part] : [h("wbr", {}), part]));
}

function line(kind: string, text: string): HTMLElement {
  return h("p", { class: kind }, text);
}
