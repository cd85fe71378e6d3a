/** The code that asks a phone for a presentation, over the whole screen. */

import { ANSWERED_WITHIN, askableClaims, CLAIMS, claimsFor, encodeRequest, isAudience, type Claim, type Policy, type PresentationRequest } from "../check/index.ts"; // prettier-ignore
import { checkbox, field, h } from "./dom.ts";
import { drawCode } from "./drawing.ts";
import type { Language } from "./languages.ts";

/** What the view tells the page. */
export interface AskEvents {
  readonly ask: (claims: readonly Claim[], policy: Policy) => PresentationRequest | null; // null: nothing says that
  readonly named: (audience: string) => void;
  readonly scan: () => void; // the phone has the request
  readonly closed: () => void;
}

/** What the view has to know. */
export interface AskState {
  readonly audience: string; // who asks; "" when nobody said so yet
  readonly policy: Policy;
  readonly types: readonly string[]; // of the credentials that are known
}

export class AskView {
  readonly element = h("dialog", { class: "ask", "aria-labelledby": "ask-title" });
  readonly #events: AskEvents;
  #chosen: ReadonlySet<Claim> = new Set();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(events: AskEvents) {
    this.#events = events;
    this.element.addEventListener("close", () => {
      clearTimeout(this.#timer);
      events.closed();
    });
  }

  get isOpen(): boolean {
    return this.element.open;
  }

  open(language: Language, state: AskState): void {
    const needed = claimsFor(state.policy);
    // Where no rule says what is needed: the name, to compare with the person.
    const isRuled = needed.length > 0 || state.policy.liveOnly;
    this.#chosen = new Set(isRuled ? needed : ["name"]);
    this.render(language, state);
    if (!this.element.open) this.element.showModal();
  }

  close(): void {
    this.element.close();
  }

  render(language: Language, state: AskState): void {
    const title = h("h2", { id: "ask-title" }, language.word("ask_title"));
    const close = h("button", { type: "button", click: this.#close }, language.word("close"));
    if (isAudience(state.audience)) {
      this.element.replaceChildren(title, ...this.#code(language, state), close);
    } else {
      this.element.replaceChildren(title, ...this.#naming(language), close);
    }
  }

  readonly #close = (): void => {
    this.element.close();
  };

  #naming(language: Language): HTMLElement[] {
    const name = h("input", { type: "text", autocomplete: "organization", maxlength: "120" });
    const message = h("p", { class: "message", role: "alert" });
    const save = (event: Event) => {
      event.preventDefault();
      if (isAudience(name.value.trim())) this.#events.named(name.value.trim());
      else message.textContent = language.word("audience_wrong");
    };
    const button = h("button", { type: "submit", class: "primary" }, language.word("save"));
    return [
      h("form", { class: "naming", submit: save }, field(language.word("audience"), name), message, button),
    ];
  }

  #code(language: Language, state: AskState): Element[] {
    const request = this.#events.ask(
      CLAIMS.filter((claim) => this.#chosen.has(claim)),
      state.policy,
    );
    // A request that nobody answered is over: another takes its place.
    clearTimeout(this.#timer);
    if (request === null) return [this.#shown(language, state, impossible(language))];
    this.#timer = setTimeout(() => {
      this.render(language, state);
    }, ANSWERED_WITHIN * 1000);
    const asked = CLAIMS.filter((claim) => this.#chosen.has(claim)).map((claim) => language.word(claim));
    const what = language.word("ask_code", { claims: asked.join(", ") || language.word("no_claims") });
    const scan = h("button", { type: "button", class: "primary", click: this.#events.scan });
    scan.textContent = language.word("scan_answer_now");
    const code = drawCode(encodeRequest(request), what);
    const who = h("p", { class: "who" }, state.audience);
    return [this.#shown(language, state, code, who, h("p", {}, language.word("ask_hint"))), scan];
  }

  #shown(language: Language, state: AskState, ...what: Element[]): HTMLElement {
    // It may scroll where the screen is small: so a keyboard must reach it.
    const attributes = { class: "shown", tabindex: "0", role: "group", "aria-labelledby": "ask-title" };
    return h("div", attributes, ...what, this.#choices(language, state));
  }

  #choices(language: Language, state: AskState): HTMLElement {
    const needed = new Set(claimsFor(state.policy));
    const boxes = askableClaims(state.types, state.policy).map((claim) => {
      const choose = (isOn: boolean) => {
        const others = [...this.#chosen].filter((one) => one !== claim);
        this.#chosen = new Set(isOn ? [...others, claim] : others);
        this.render(language, state);
        this.element.querySelector<HTMLInputElement>(`input[name="${claim}"]`)?.focus();
      };
      return checkbox(language.word(claim), this.#chosen.has(claim), choose, {
        name: claim,
        disabled: needed.has(claim), // the service's rules need it
      });
    });
    return h("fieldset", { class: "row" }, h("legend", {}, language.word("ask_for")), ...boxes);
  }
}

function impossible(language: Language): HTMLElement {
  return h("p", { class: "message", role: "alert" }, language.word("ask_impossible"));
}
