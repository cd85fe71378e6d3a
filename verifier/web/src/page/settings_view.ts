/** Settings and set-up, in a dialog. */

import { parseRules, RulesError } from "../check/index.ts";
import { namesOf, parseAnchors } from "./anchors.ts";
import { field, fileButton, h } from "./dom.ts";
import { languages, type Language } from "./languages.ts";
import { codeIn, type CodeReader } from "./reading.ts";
import { OWN } from "./services.ts";
import type { Settings } from "./settings.ts";

const NEXT_AFTER = [0, 3, 5, 10]; // seconds

/** What the view tells the page. */
export interface SettingsEvents {
  readonly changed: (settings: Settings) => void;
  readonly setUp: (source: string, anchors: string) => Promise<string>; // what to say of it
  readonly fetchNow: () => Promise<string>;
  readonly takeFile: (file: File) => Promise<string>;
  readonly forget: () => void;
}

/** What the view has to know. */
export interface SettingsState {
  readonly settings: Settings;
  readonly source: string | null;
  readonly isSetUp: boolean;
}

export class SettingsView {
  readonly element = h("dialog", { class: "settings", "aria-labelledby": "settings-title" });
  readonly #message = h("p", { class: "message", role: "status" });
  readonly #events: SettingsEvents;
  readonly #reader: CodeReader;

  constructor(reader: CodeReader, events: SettingsEvents) {
    this.#reader = reader;
    this.#events = events;
  }

  open(): void {
    if (!this.element.open) this.element.showModal();
  }

  say(text: string): void {
    this.#message.textContent = text;
  }

  render(language: Language, state: SettingsState): void {
    const choices = this.#choices(language, state.settings);
    const title = h("h3", {}, language.word("setup"));
    // First things first: without a bundle no choice matters but that of the language.
    const body = state.isSetUp
      ? [...choices, title, ...this.#knowledge(language, state), this.#message]
      : [...choices.slice(0, 1), title, ...this.#setUp(language), this.#message, ...choices.slice(1)];
    this.element.replaceChildren(
      h("h2", { id: "settings-title" }, language.word("settings")),
      ...body,
      h("p", { class: "note" }, language.word("install_note")),
      h("p", { class: "note" }, language.word("counts_note")),
      h(
        "button",
        {
          type: "button",
          class: "primary",
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
      fileButton(
        language.word("own_rules"),
        ".toml,text/plain",
        (file) => void this.#takeRules(file, language, change),
      ),
    ];
  }

  async #takeRules(
    file: File,
    language: Language,
    change: (changes: Partial<Settings>) => void,
  ): Promise<void> {
    const text = new TextDecoder().decode(await file.arrayBuffer());
    try {
      const rules = parseRules(text);
      change({ ownRules: text, service: OWN });
      this.say(language.word("own_rules_stored", { service: rules.service.get("") ?? "" }));
    } catch (error) {
      if (!(error instanceof RulesError)) throw error;
      this.say(language.word("rules_refused", { reason: error.message }));
    }
  }

  #setUp(language: Language): HTMLElement[] {
    const source = h("input", {
      type: "url",
      inputmode: "url",
      autocomplete: "off",
      placeholder: "https://",
    });
    const anchors = h("textarea", { rows: "4", autocomplete: "off", spellcheck: "false" });
    const compare = h("p", { class: "compare", role: "status" });
    const changed = () =>
      void this.#compare(anchors.value, language).then((text) => (compare.textContent = text));
    const take = (text: string) => {
      anchors.value = text;
      changed();
    };
    anchors.addEventListener("input", changed);
    const save = () =>
      void this.#events.setUp(source.value.trim(), anchors.value).then((text) => {
        this.say(text);
      });
    return [
      h("p", {}, language.word("setup_intro")),
      field(language.word("bundle_address"), source),
      field(language.word("anchor"), anchors),
      compare,
      h(
        "div",
        { class: "row" },
        fileButton(
          language.word("anchor_file"),
          ".jwk,.json,application/json",
          (file) => void file.text().then(take),
        ),
        fileButton(language.word("anchor_scan"), "image/*", (file) => void this.#scan(file, language, take)),
      ),
      h("button", { type: "button", class: "primary", click: save }, language.word("save_setup")),
    ];
  }

  async #compare(text: string, language: Language): Promise<string> {
    if (text.trim() === "") return "";
    const keys = parseAnchors(text);
    return keys === null
      ? language.word("anchor_wrong")
      : language.word("anchor_check", { thumbprint: await namesOf(keys) });
  }

  async #scan(file: File, language: Language, take: (text: string) => void): Promise<void> {
    const found = await codeIn(file, this.#reader);
    this.say("fault" in found ? language.word(found.fault) : "");
    if ("text" in found) take(found.text);
  }

  #knowledge(language: Language, state: SettingsState): HTMLElement[] {
    const run = (work: () => Promise<string>) => {
      this.say(language.word("fetching"));
      void work().then((text) => {
        this.say(text);
      });
    };
    const fetchNow = h(
      "button",
      {
        type: "button",
        click: () => {
          run(this.#events.fetchNow);
        },
      },
      language.word("fetch_now"),
    );
    const fromFile = fileButton(language.word("bundle_file"), ".escbundle", (file) => {
      run(() => this.#events.takeFile(file));
    });
    return [
      h("p", { class: "source" }, state.source ?? ""),
      h("div", { class: "row" }, state.source === null ? null : fetchNow, fromFile),
      this.#forgetButton(language),
    ];
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

function checkbox(label: string, isOn: boolean, changed: (isOn: boolean) => void): HTMLElement {
  const input = h("input", {
    type: "checkbox",
    checked: isOn,
    change: () => {
      changed(input.checked);
    },
  });
  return h("label", { class: "field inline" }, input, h("span", {}, label));
}
