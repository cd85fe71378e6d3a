/** What a phone was asked for, on the page itself: how many codes came, or the digits to sign. */

import { h } from "./dom.ts";
import type { Asking } from "./asking.ts";
import type { Language } from "./languages.ts";

export class AskedView {
  readonly element = h("section", { class: "asked", hidden: true });
  readonly #withdraw: () => void;

  constructor(withdraw: () => void) {
    this.#withdraw = withdraw;
  }

  show(language: Language, asking: Asking): void {
    const lines = [...requestOf(language, asking), ...digitsOf(language, asking)];
    this.element.hidden = lines.length === 0;
    const stop = h("button", { type: "button", click: this.#withdraw }, language.word("ask_no_more"));
    this.element.replaceChildren(...lines, ...(lines.length === 0 ? [] : [stop]));
  }
}

function requestOf(language: Language, { asked, progress }: Asking): HTMLElement[] {
  if (asked === null) return [];
  const { count, total } = progress;
  const claims = asked.claims.map((claim) => language.word(claim)).join(", ");
  const words = language.word("asked_for", { claims: claims === "" ? language.word("no_claims") : claims });
  const said = count === 0 ? language.word("no_parts") : language.word("parts", { count, total });
  const bar = h("progress", { max: String(Math.max(total, 1)), value: String(count), "aria-label": said });
  return [h("p", {}, words), bar, h("p", { class: "parts", role: "status" }, said)];
}

function digitsOf(language: Language, { digits }: Asking): HTMLElement[] {
  if (digits === null) return [];
  return [
    h("p", {}, language.word("digits_hint")),
    // Read one by one, not as a number.
    h("p", { class: "digits", "aria-label": Array.from(digits).join(" "), role: "img" }, digits),
  ];
}
