/** The page itself: camera, picture, field, service, what is known, today's counts. */

import { Camera, cameraFault } from "./camera.ts";
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
  readonly export: () => void;
}

export class ScanView {
  readonly element = h("main", { id: "scanner", tabindex: "-1" });
  readonly camera: Camera;
  readonly #video = h("video", { muted: true, playsinline: true, "aria-hidden": "true" });
  readonly #message = h("p", { class: "message", role: "status" });
  readonly #asOf = h("p", { class: "as-of" });
  readonly #counts = h("p", { class: "counts" });
  readonly #reader: CodeReader;
  readonly #events: ScanEvents;

  constructor(reader: CodeReader, events: ScanEvents) {
    this.#reader = reader;
    this.#events = events;
    this.#video.muted = true;
    this.camera = new Camera(this.#video, reader, events.seen, events.failed);
  }

  render(language: Language, settings: Settings): void {
    const toggle = h("button", { type: "button", class: "primary" });
    const name = () => {
      toggle.textContent = language.word(this.camera.isOn ? "stop_camera" : "start_camera");
      this.#video.hidden = !this.camera.isOn;
    };
    toggle.addEventListener("click", () => void this.#toggle(language).then(name));
    name();
    this.element.replaceChildren(
      h("h1", { class: "unseen" }, language.word("scan_title")),
      h("div", { class: "finder" }, this.#video, h("p", { class: "aim" }, language.word("aim"))),
      this.#message,
      h("div", { class: "row" }, toggle, this.#pictureButton(language)),
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

  #pictureButton(language: Language): HTMLElement {
    return fileButton(language.word("picture"), "image/*", (file) => void this.#readPicture(file, language));
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
    const submit = (event: Event) => {
      event.preventDefault();
      if (input.value.trim() !== "") this.#events.given(input.value);
      input.value = "";
    };
    const button = h("button", { type: "submit" }, language.word("check"));
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
