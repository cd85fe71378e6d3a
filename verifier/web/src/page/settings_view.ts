/** Settings and set-up, in a dialog. */

import { nameIn, parseRules, rulesTextOf, RulesError } from "../check/index.ts";
import { checkbox, field, fileButton, h } from "./dom.ts";
import type { KnowledgeStore } from "./knowledge_store.ts";
import { KnowledgeView, type KnowledgeEvents } from "./knowledge_view.ts";
import { languages, type Language } from "./languages.ts";
import type { CodeReader } from "./reading.ts";
import { OWN } from "./services.ts";
import type { Settings } from "./settings.ts";

const NEXT_AFTER = [0, 3, 5, 10]; // seconds

/** What the view tells the page. */
export interface SettingsEvents extends KnowledgeEvents {
  readonly changed: (settings: Settings) => void;
  readonly forget: () => void;
}

/** What the view has to know. */
export interface SettingsState {
  readonly settings: Settings;
  readonly lists: readonly KnowledgeStore[];
  readonly isSetUp: boolean;
  readonly now: number; // seconds
}

export class SettingsView {
  readonly element = h("dialog", { class: "settings", "aria-labelledby": "settings-title" });
  readonly #message = h("p", { class: "message", role: "status" });
  readonly #events: SettingsEvents;
  readonly #knowledge: KnowledgeView;

  constructor(reader: CodeReader, events: SettingsEvents) {
    this.#events = events;
    this.#knowledge = new KnowledgeView(reader, events, (text) => {
      this.say(text);
    });
  }

  open(): void {
    if (!this.element.open) this.element.showModal();
  }

  say(text: string): void {
    this.#message.textContent = text;
    // On a small screen it may stand far from the button that was pressed.
    if (text !== "") this.#message.scrollIntoView({ block: "nearest" });
  }

  render(language: Language, state: SettingsState): void {
    const choices = this.#choices(language, state.settings);
    const title = h("h3", {}, language.word("setup"));
    // First things first: without a bundle no choice matters but that of the language.
    const body = state.isSetUp
      ? [...choices, title, ...this.#lists(language, state), this.#message]
      : [
          ...choices.slice(0, 1),
          title,
          ...this.#knowledge.setUp(language, "primary"),
          this.#message,
          ...choices.slice(1),
        ];
    this.element.replaceChildren(
      h("h2", { id: "settings-title" }, language.word("settings")),
      ...body,
      h("p", { class: "note" }, language.word("install_note")),
      h("p", { class: "note" }, language.word("counts_note")),
      h(
        "button",
        {
          type: "button",
          class: state.isSetUp ? "done primary" : "done",
          click: () => {
            this.element.close();
          },
        },
        language.word("close"),
      ),
    );
  }

  #choices(language: Language, settings: Settings): HTMLElement[] {
    const change = (changes: Partial<Settings>) => {
      this.#events.changed({ ...settings, ...changes });
    };
    const tongue = select(
      languages().map((one) => [one.code, one.word("name_of_language")]),
      language.code,
      (code) => {
        change({ language: code });
      },
    );
    const next = select(
      NEXT_AFTER.map((count) => [String(count), language.word(count === 0 ? "never" : "seconds", { count })]),
      String(settings.nextAfter),
      (count) => {
        change({ nextAfter: Number(count) });
      },
    );
    return [
      field(language.word("language"), tongue),
      checkbox(language.word("sounds"), settings.sounds, (sounds) => {
        change({ sounds });
      }),
      checkbox(language.word("vibration"), settings.vibration, (vibration) => {
        change({ vibration });
      }),
      field(language.word("next_after"), next),
      field(language.word("audience"), this.#audience(settings, change)),
      fileButton(
        language.word("own_rules"),
        ".toml,text/plain",
        (file) => void this.#takeRules(file, language, change),
      ),
    ];
  }

  // Wrong names are said where one asks.
  #audience(settings: Settings, change: (changes: Partial<Settings>) => void): HTMLInputElement {
    const input = h("input", {
      type: "text",
      maxlength: "120",
      value: settings.audience,
      change: () => {
        change({ audience: input.value.trim() });
      },
    });
    return input;
  }

  async #takeRules(
    file: File,
    language: Language,
    change: (changes: Partial<Settings>) => void,
  ): Promise<void> {
    const data = new Uint8Array(await file.arrayBuffer());
    try {
      const text = rulesTextOf(data);
      const rules = parseRules(text);
      change({ ownRules: text, service: OWN });
      this.say(language.word("own_rules_stored", { service: nameIn(rules, language.code) }));
    } catch (error) {
      if (!(error instanceof RulesError)) throw error;
      this.say(language.word("rules_refused", { reason: language.rulesFault(error) }));
    }
  }

  #lists(language: Language, { lists, now }: SettingsState): HTMLElement[] {
    return [...this.#knowledge.lists(language, lists, now), this.#forgetButton(language)];
  }

  #forgetButton(language: Language): HTMLElement {
    let isSure = false;
    const forget = () => {
      if (isSure) this.#events.forget();
      isSure = true;
      this.say(language.word("forget_sure"));
    };
    return h("button", { type: "button", class: "danger", click: forget }, language.word("forget"));
  }
}

function select(
  options: [string, string][],
  value: string,
  changed: (value: string) => void,
): HTMLSelectElement {
  const all = options.map(([one, name]) => h("option", { value: one }, name));
  const element = h(
    "select",
    {
      change: () => {
        changed(element.value);
      },
    },
    ...all,
  );
  element.value = value;
  return element;
}
