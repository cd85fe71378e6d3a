/** The trust lists of this device: each with what is known of it; and the form for one more. */

import { namesOf, parseAnchors } from "./anchors.ts";
import { field, fileButton, h } from "./dom.ts";
import { lineOf } from "./knowing.ts";
import type { KnowledgeStore } from "./knowledge_store.ts";
import type { Language } from "./languages.ts";
import { codeIn, type CodeReader } from "./reading.ts";

/** What the view tells the page; each answers what to say of it. */
export interface KnowledgeEvents {
  readonly setUp: (source: string, anchors: string) => Promise<string>;
  readonly fetchNow: (store: KnowledgeStore) => Promise<string>;
  readonly fetchFrom: (store: KnowledgeStore, source: string) => Promise<string>;
  readonly takeFile: (store: KnowledgeStore, file: File) => Promise<string>;
  readonly remove: (store: KnowledgeStore) => Promise<string>;
}

export class KnowledgeView {
  readonly #events: KnowledgeEvents;
  readonly #reader: CodeReader;
  readonly #say: (text: string) => void;

  constructor(reader: CodeReader, events: KnowledgeEvents, say: (text: string) => void) {
    this.#reader = reader;
    this.#events = events;
    this.#say = say;
  }

  /** All lists, and a button that brings the form for one more. */
  lists(language: Language, stores: readonly KnowledgeStore[], now: number): HTMLElement[] {
    const form = h("div", { class: "further" });
    const add = h("button", { type: "button" }, language.word("add_list"));
    add.addEventListener("click", () => {
      form.replaceChildren(...this.setUp(language, ""));
      form.querySelector("input")?.focus();
    });
    form.append(add);
    return [...stores.map((store) => this.#list(language, store, stores.length > 1, now)), form];
  }

  /** The form for a list. */
  setUp(language: Language, kind: "primary" | ""): HTMLElement[] {
    const source = addressInput("");
    const anchors = h("textarea", { rows: "4", autocomplete: "off", spellcheck: "false" });
    const compare = h("p", { class: "compare", role: "status" });
    const changed = () =>
      void this.#compare(anchors.value, language).then((text) => (compare.textContent = text));
    const take = (text: string) => {
      anchors.value = text;
      changed();
    };
    anchors.addEventListener("input", changed);
    const save = () => {
      this.#run(language, () => this.#events.setUp(source.value.trim(), anchors.value));
    };
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
      h("button", { type: "button", class: kind, click: save }, language.word("save_setup")),
    ];
  }

  #list(language: Language, store: KnowledgeStore, isRemovable: boolean, now: number): HTMLElement {
    const fetchNow = () => {
      this.#run(language, () => this.#events.fetchNow(store));
    };
    const fromFile = fileButton(language.word("bundle_file"), ".escbundle", (file) => {
      this.#run(language, () => this.#events.takeFile(store, file));
    });
    const fetching = h("button", { type: "button", click: fetchNow }, language.word("fetch_now"));
    return h(
      "section",
      { class: "list" },
      h("p", { class: "source" }, store.source ?? language.word("from_files")),
      h("p", { class: "note" }, lineOf(store, language, now)),
      h(
        "div",
        { class: "row" },
        store.source === null ? null : fetching,
        fromFile,
        isRemovable ? this.#removeButton(language, store) : null,
      ),
      this.#address(language, store),
    );
  }

  /** A button that brings the form for another address. */
  #address(language: Language, store: KnowledgeStore): HTMLElement {
    const form = h("div", { class: "further" });
    const key = store.source === null ? "give_address" : "change_address";
    const change = h("button", { type: "button" }, language.word(key));
    change.addEventListener("click", () => {
      form.replaceChildren(this.#addressForm(language, store));
      form.querySelector("input")?.focus();
    });
    form.append(change);
    return form;
  }

  #addressForm(language: Language, store: KnowledgeStore): HTMLElement {
    const source = addressInput(store.source ?? "");
    const save = (event: Event) => {
      event.preventDefault();
      this.#run(language, () => this.#events.fetchFrom(store, source.value.trim()));
    };
    const button = h("button", { type: "submit" }, language.word("save_setup"));
    // The page says itself what is wrong with an address, in its own language.
    const attributes = { class: "address", novalidate: true, submit: save };
    return h("form", attributes, field(language.word("bundle_address"), source), button);
  }

  #removeButton(language: Language, store: KnowledgeStore): HTMLElement {
    let isSure = false;
    const remove = () => {
      if (isSure) this.#run(language, () => this.#events.remove(store));
      else this.#say(language.word("remove_sure"));
      isSure = true;
    };
    return h("button", { type: "button", class: "danger", click: remove }, language.word("remove_list"));
  }

  #run(language: Language, work: () => Promise<string>): void {
    this.#say(language.word("fetching"));
    void work().then(this.#say);
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
    this.#say("fault" in found ? language.word(found.fault) : "");
    if ("text" in found) take(found.text);
  }
}

function addressInput(value: string): HTMLInputElement {
  return h("input", { type: "url", inputmode: "url", autocomplete: "off", placeholder: "https://", value });
}
