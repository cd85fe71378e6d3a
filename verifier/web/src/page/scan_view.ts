/** The page itself: camera, picture, field, service, what is known, today's counts. */

import { AskedView } from "./asked_view.ts";
import { Camera, cameraFault } from "./camera.ts";
import { cameraControls } from "./camera_controls.ts";
import { field, fileButton, h } from "./dom.ts";
import type { Language } from "./languages.ts";
import { codeIn, type CodeReader } from "./reading.ts";
import { servicesIn } from "./services.ts";
import type { Settings } from "./settings.ts";

/** What the view tells the page. */
export interface ScanEvents {
  readonly seen: (text: string, frameAt: number) => void; // by the camera, again and again
  readonly failed: () => void; // the camera stopped: no picture can be read
  readonly given: (text: string) => void; // by a picture or a field, once
  readonly chosen: (service: string) => void;
  readonly ask: () => void; // for a presentation
  readonly askDigits: () => void;
  readonly withdraw: () => void; // what was asked
  readonly export: () => void;
}

export class ScanView {
  readonly element = h("main", { id: "scanner", tabindex: "-1" });
  readonly camera: Camera;
  readonly asked: AskedView;
  readonly #video = h("video", { muted: true, playsinline: true, "aria-hidden": "true" });
  readonly #message = h("p", { class: "message", role: "status" });
  readonly #asOf = h("p", { class: "as-of" });
  readonly #controls = h("div", { class: "row controls", hidden: true });
  readonly #counts = h("p", { class: "counts" });
  readonly #reader: CodeReader;
  readonly #events: ScanEvents;
  #named: () => void = () => undefined;

  constructor(reader: CodeReader, events: ScanEvents) {
    this.#reader = reader;
    this.#events = events;
    this.#video.muted = true;
    this.camera = new Camera(this.#video, reader, events.seen, events.failed);
    this.asked = new AskedView(events.withdraw);
  }

  render(language: Language, settings: Settings): void {
    const toggle = h("button", { type: "button", class: "primary" });
    const name = () => {
      toggle.textContent = language.word(this.camera.isOn ? "stop_camera" : "start_camera");
      this.#showCamera(language);
    };
    toggle.addEventListener("click", () => void this.#toggle(language).then(name));
    name();
    this.#named = name;
    this.element.replaceChildren(
      h("h1", { class: "unseen" }, language.word("scan_title")),
      this.asked.element,
      h("div", { class: "finder" }, this.#video, h("p", { class: "aim" }, language.word("aim"))),
      this.#controls,
      this.#message,
      h("div", { class: "row" }, toggle, this.#pictureButton(language)),
      this.#askButtons(language),
      this.#form(language),
      this.#serviceField(language, settings),
      this.#asOf,
      h(
        "section",
        { class: "today" },
        h("h2", {}, language.word("today")),
        this.#counts,
        this.#exportButton(language),
      ),
    );
  }

  /** Starts the camera, if it does not look already. */
  async look(language: Language): Promise<void> {
    if (!this.camera.isOn) await this.#toggle(language);
    this.#named();
    this.element.scrollIntoView();
  }

  /** Says something in one sentence; an empty text takes it away. */
  say(text: string): void {
    this.#message.textContent = text;
  }

  showAsOf(text: string, isOld: boolean): void {
    this.#asOf.textContent = text;
    this.#asOf.classList.toggle("old", isOld);
  }

  showCounts(text: string): void {
    this.#counts.textContent = text;
  }

  async #toggle(language: Language): Promise<void> {
    if (this.camera.isOn) {
      this.camera.stop();
      return;
    }
    this.say(language.word("camera_starting"));
    try {
      await this.camera.start();
      this.say("");
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      this.camera.stop();
      this.say(language.word(cameraFault(error)));
    }
  }

  #showCamera(language: Language): void {
    this.#video.hidden = !this.camera.isOn;
    const controls = cameraControls(this.camera, language);
    this.#controls.replaceChildren(...controls);
    this.#controls.hidden = controls.length === 0;
  }

  #askButtons(language: Language): HTMLElement {
    const button = (key: string, click: () => void) =>
      h("button", { type: "button", click }, language.word(key));
    return h(
      "div",
      { class: "row" },
      button("ask_presentation", this.#events.ask),
      button("ask_digits", this.#events.askDigits),
    );
  }

  #pictureButton(language: Language): HTMLElement {
    const read = (file: File) => void this.#readPicture(file, language);
    return fileButton(language.word("picture"), "image/*", read, { multiple: true });
  }

  async #readPicture(file: File, language: Language): Promise<void> {
    const found = await codeIn(file, this.#reader);
    this.say("fault" in found ? language.word(found.fault) : "");
    if ("text" in found) this.#events.given(found.text);
  }

  #form(language: Language): HTMLElement {
    const input = h("input", {
      type: "text",
      autocomplete: "off",
      spellcheck: "false",
      autocapitalize: "off",
    });
    // What somebody is typing stays when the page is drawn again.
    input.value = this.element.querySelector<HTMLInputElement>(".typed input")?.value ?? "";
    const submit = (event: Event) => {
      event.preventDefault();
      if (input.value.trim() !== "") this.#events.given(input.value);
      input.value = "";
    };
    const button = h("button", { type: "submit" }, language.word("check"));
    // A field of one line would make one of several parts.
    input.addEventListener("paste", (event) => {
      const lines =
        event.clipboardData
          ?.getData("text")
          .trim()
          .split(/\s*\n\s*/) ?? [];
      if (lines.length < 2) return;
      event.preventDefault();
      for (const line of lines) this.#events.given(line);
    });
    return h("form", { class: "row typed", submit }, field(language.word("code_label"), input), button);
  }

  #serviceField(language: Language, settings: Settings): HTMLElement {
    const services: [string, string][] = [
      ["", language.word("service_none")],
      ...servicesIn(language.code, settings),
    ];
    const select = h(
      "select",
      {
        change: () => {
          this.#events.chosen(select.value);
        },
      },
      ...services.map(([value, name]) => h("option", { value }, name)),
    );
    select.value = settings.service;
    return field(language.word("service"), select);
  }

  #exportButton(language: Language): HTMLElement {
    return h("button", { type: "button", click: this.#events.export }, language.word("export_counts"));
  }
}
