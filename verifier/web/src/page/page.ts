/** The page as a whole: what is seen is decided, answered and counted; what is known is kept new. */

import { AnswerView } from "./answer_view.ts";
import { AskView } from "./ask_view.ts";
import { countsAsCsv, countsOf, dayOf } from "./counts.ts";
import type { Database } from "./database.ts";
import { Deciding } from "./deciding.ts";
import { h } from "./dom.ts";
import { Keeping } from "./keeping.ts";
import { lineOfAll } from "./knowing.ts";
import { languageOf, type Language } from "./languages.ts";
import { CodeReader } from "./reading.ts";
import { ScanView, type ScanEvents } from "./scan_view.ts";
import { policyOf } from "./services.ts";
import { saveSettings, type Settings } from "./settings.ts";
import { SettingsView, type SettingsEvents } from "./settings_view.ts";
import { Signals } from "./signals.ts";
import { TrustLists } from "./trust_lists.ts";
import { listenToScanner } from "./typing.ts";

const RENEW_EVERY = 60_000; // milliseconds; mostly one small request

const clock = (): number => Math.floor(Date.now() / 1000);

export class Page {
  readonly #database: Database;
  readonly #keeping: Keeping;
  readonly #deciding: Deciding;
  readonly #signals = new Signals();
  readonly #answer = new AnswerView(() => void this.#showState());
  readonly #ask: AskView;
  readonly #scan: ScanView;
  readonly #settingsView: SettingsView;
  readonly #header = h("header");
  #settings: Settings;

  constructor(database: Database, settings: Settings) {
    this.#database = database;
    this.#settings = settings;
    const lists = new TrustLists(database, clock);
    this.#keeping = new Keeping(lists, () => this.#language);
    const reader = new CodeReader();
    this.#scan = new ScanView(reader, this.#scanEvents());
    this.#settingsView = new SettingsView(reader, this.#settingsEvents());
    this.#ask = new AskView({
      ask: (claims, policy) =>
        this.#deciding.asking.ask(this.#settings.audience, this.#types, claims, policy),
      named: (audience) => void this.#change({ ...this.#settings, audience }).then(this.#askPresentation),
      scan: () => void this.#scanAnswer(),
      closed: () => void this.#showState(),
    });
    this.#deciding = new Deciding({
      database,
      clock,
      lists,
      answer: this.#answer,
      signals: this.#signals,
      settings: () => this.#settings,
      language: () => this.#language,
      say: (text) => {
        this.#scan.say(text);
      },
      setUp: () => {
        this.#settingsView.open();
      },
      changed: () => {
        this.#showAsked();
      },
    });
  }

  get #language(): Language {
    return languageOf(this.#settings.language);
  }

  /** Which credentials will do: those of the trust lists. */
  get #types(): string[] {
    const types = this.#keeping.lists.usable.flatMap(({ trust }) => [...trust.typeIntegrity.keys()]);
    return [...new Set(types)];
  }

  /** Shows the page, then looks for what is new. */
  async open(): Promise<void> {
    const dialogs = [this.#answer.element, this.#ask.element, this.#settingsView.element];
    document.body.append(this.#header, this.#scan.element, ...dialogs);
    const opening = this.#keeping.lists.open();
    await this.#render();
    this.#scan.showAsOf(this.#language.word("opening"), false);
    listenToScanner((text) => void this.#deciding.decide(text));
    await opening;
    await this.#render();
    for (const kind of ["pointerdown", "keydown"]) {
      document.addEventListener(kind, () => {
        this.#signals.allow();
      });
    }
    if (!(await this.#keeping.lists.isSetUp())) this.#settingsView.open();
    const renew = () => void this.#renewQuietly();
    window.addEventListener("online", renew);
    window.addEventListener("offline", () => void this.#showState());
    setInterval(renew, RENEW_EVERY);
    document.documentElement.dataset["ready"] = "yes";
    renew();
  }

  #scanEvents(): ScanEvents {
    return {
      seen: (text, frameAt) => {
        if (!this.#settingsView.element.open) void this.#deciding.see(text, frameAt);
      },
      failed: () => void this.#sayReaderFailed(),
      given: (text) => void this.#deciding.decide(text),
      chosen: (service) => void this.#change({ ...this.#settings, service }),
      ask: () => {
        this.#askPresentation();
      },
      askDigits: () => {
        this.#deciding.asking.askDigits(true);
        this.#showAsked();
      },
      withdraw: () => {
        this.#deciding.asking.withdraw();
        this.#deciding.asking.askDigits(false);
        this.#showAsked();
      },
      export: () => void this.#export(),
    };
  }

  #settingsEvents(): SettingsEvents {
    const then = async (saying: Promise<string>): Promise<string> => {
      const said = await saying;
      await this.#renderSettings();
      await this.#showState();
      return said;
    };
    return {
      changed: (changed) => void this.#change(changed),
      setUp: async (source, anchors) => {
        const { lists } = this.#keeping;
        const before = await lists.countSetUp();
        const said = await this.#keeping.setUp(source, anchors);
        // What was typed stays where nothing came of it.
        return (await lists.countSetUp()) === before ? said : then(Promise.resolve(said));
      },
      fetchNow: (store) => then(this.#keeping.renew(store)),
      fetchFrom: async (store, source) => {
        const said = await this.#keeping.fetchFrom(store, source);
        return store.source === source ? then(Promise.resolve(said)) : said;
      },
      takeFile: (store, file) => then(this.#keeping.takeIn(store, file)),
      remove: (store) => then(this.#keeping.remove(store)),
      forget: () => void this.#forget(),
    };
  }

  async #render(): Promise<void> {
    const language = this.#language;
    document.documentElement.lang = language.code;
    document.title = language.word("title");
    const openSettings = async () => {
      await this.#keeping.lists.open();
      this.#settingsView.open();
    };
    this.#header.replaceChildren(
      h("a", { class: "skip", href: "#scanner" }, language.word("skip")),
      h("p", { class: "title" }, language.word("title")),
      h("button", { type: "button", click: () => void openSettings() }, language.word("settings")),
    );
    this.#scan.render(language, this.#settings);
    await this.#renderSettings();
    await this.#showState();
  }

  async #renderSettings(): Promise<void> {
    const { lists } = this.#keeping;
    const isSetUp = await lists.isSetUp();
    const state = { settings: this.#settings, lists: lists.all, isSetUp, now: clock() };
    this.#settingsView.render(this.#language, state);
  }

  readonly #askPresentation = (): void => {
    const { audience } = this.#settings;
    const policy = policyOf(this.#settings);
    if (this.#keeping.lists.usable.length === 0) this.#settingsView.open();
    else if (policy === null) this.#scan.say(this.#language.word("service_gone"));
    else this.#ask.open(this.#language, { audience, policy, types: this.#types });
  };

  async #scanAnswer(): Promise<void> {
    this.#ask.close();
    await this.#scan.look(this.#language);
  }

  #showAsked(): void {
    const { asking } = this.#deciding;
    // The phone has read the request once a part comes.
    if (asking.progress.count > 0 && this.#ask.isOpen) this.#ask.close();
    this.#scan.asked.show(this.#language, asking);
  }

  async #sayReaderFailed(): Promise<void> {
    await this.#render();
    this.#scan.say(this.#language.word("reader_failed"));
  }

  async #change(settings: Settings): Promise<void> {
    this.#settings = settings;
    await saveSettings(this.#database, settings);
    await this.#render();
  }

  async #renewQuietly(): Promise<void> {
    if (navigator.onLine) {
      const said = await this.#keeping.renewAll();
      if (said !== "") this.#scan.say(said);
      if (!this.#settingsView.element.open) await this.#renderSettings();
    }
    await this.#showState();
  }

  async #showState(): Promise<void> {
    const language = this.#language;
    const { lists } = this.#keeping;
    const policy = policyOf(this.#settings);
    const isOld = lists.asOf === null || policy === null || clock() - lists.asOf > policy.freshFor;
    this.#scan.showAsOf(lineOfAll(lists, language, clock(), policy), isOld);
    this.#showAsked();
    const counts = await countsOf(this.#database, dayOf(clock()));
    const words = Object.entries(counts).map(
      ([outcome, count]) => `${count} ${language.word(`count_${outcome}`)}`,
    );
    this.#scan.showCounts(words.join(" · "));
  }

  async #export(): Promise<void> {
    const file = new Blob([await countsAsCsv(this.#database)], { type: "text/csv" });
    const address = URL.createObjectURL(file);
    h("a", { href: address, download: `card-checks-${dayOf(clock())}.csv` }).click();
    setTimeout(() => {
      URL.revokeObjectURL(address);
    }, 60_000);
  }

  async #forget(): Promise<void> {
    await this.#database.clear();
    location.reload();
  }
}
