/** The page as a whole: what is seen is decided, answered and counted; what is known is kept new. */

import { CardError, type RefusalName } from "../check/index.ts";
import { parseAnchors } from "./anchors.ts";
import { AnswerView } from "./answer_view.ts";
import { countAnswer, countsAsCsv, countsOf, dayOf } from "./counts.ts";
import { StorageError, type Database } from "./database.ts";
import { Desk, outcomeOf, type Answer } from "./desk.ts";
import { h } from "./dom.ts";
import { FetchError, isUsableAddress } from "./fetching.ts";
import { KnowledgeStore } from "./knowledge_store.ts";
import { languageOf, type Language } from "./languages.ts";
import { CodeReader } from "./reading.ts";
import { ReplayStore } from "./replay_store.ts";
import { ScanView } from "./scan_view.ts";
import { policyOf } from "./services.ts";
import { saveSettings, type Settings } from "./settings.ts";
import { SettingsView } from "./settings_view.ts";
import { Signals } from "./signals.ts";
import { listenToScanner } from "./typing.ts";

const RENEW_EVERY = 5 * 60_000; // milliseconds
const SAME_CODE = 3_000; // so long a code must be out of sight to count as shown again

const clock = (): number => Math.floor(Date.now() / 1000);

export class Page {
  readonly #database: Database;
  readonly #knowledge: KnowledgeStore;
  readonly #desk: Desk;
  readonly #signals = new Signals();
  readonly #answer = new AnswerView(() => void this.#showState());
  readonly #scan: ScanView;
  readonly #settingsView: SettingsView;
  readonly #header = h("header");
  #settings: Settings;
  #seen = { text: "", at: -Infinity };
  #isBusy = false;

  constructor(database: Database, settings: Settings) {
    this.#database = database;
    this.#settings = settings;
    this.#knowledge = new KnowledgeStore(database, clock, "knowledge");
    this.#desk = new Desk(clock, new ReplayStore(database));
    const reader = new CodeReader();
    this.#scan = new ScanView(reader, {
      seen: (text, frameAt) => void this.#see(text, frameAt),
      failed: () => void this.#sayReaderFailed(),
      given: (text) => void this.#decide(text),
      chosen: (service) => void this.#change({ ...this.#settings, service }),
      export: () => void this.#export(),
    });
    this.#settingsView = new SettingsView(reader, {
      changed: (changed) => void this.#change(changed),
      setUp: (source, anchors) => this.#setUp(source, anchors),
      fetchNow: () => this.#renew(),
      takeFile: async (file) => this.#take(async () => this.#knowledge.takeIn(await bytesOf(file))),
      forget: () => void this.#forget(),
    });
  }

  get #language(): Language {
    return languageOf(this.#settings.language);
  }

  /** Shows the page, then looks for what is new. */
  async open(): Promise<void> {
    await this.#knowledge.open();
    document.body.append(this.#header, this.#scan.element, this.#answer.element, this.#settingsView.element);
    await this.#render();
    listenToScanner((text) => void this.#decide(text));
    for (const kind of ["pointerdown", "keydown"]) {
      document.addEventListener(kind, () => {
        this.#signals.allow();
      });
    }
    if (!(await this.#knowledge.isSetUp())) this.#settingsView.open();
    const renew = () => void this.#renewQuietly();
    window.addEventListener("online", renew);
    window.addEventListener("offline", () => void this.#showState());
    setInterval(renew, RENEW_EVERY);
    document.documentElement.dataset["ready"] = "yes";
    renew();
  }

  async #render(): Promise<void> {
    const language = this.#language;
    document.documentElement.lang = language.code;
    document.title = language.word("title");
    const openSettings = () => {
      this.#settingsView.open();
    };
    this.#header.replaceChildren(
      h("a", { class: "skip", href: "#scanner" }, language.word("skip")),
      h("p", { class: "title" }, language.word("title")),
      h("button", { type: "button", click: openSettings }, language.word("settings")),
    );
    this.#scan.render(language, this.#settings);
    await this.#renderSettings();
    await this.#showState();
  }

  async #renderSettings(): Promise<void> {
    const isSetUp = await this.#knowledge.isSetUp();
    const state = { settings: this.#settings, source: this.#knowledge.source, isSetUp };
    this.#settingsView.render(this.#language, state);
  }

  /** What the camera sees, many times a second: the same code is one, until it was out of sight. */
  async #see(text: string, frameAt: number): Promise<void> {
    const isSame = text === this.#seen.text && performance.now() - this.#seen.at < SAME_CODE;
    if (text === this.#seen.text || !this.#answer.isOpen) this.#seen = { text, at: performance.now() };
    if (!isSame && !this.#answer.isOpen && !this.#settingsView.element.open) {
      await this.#decide(text);
      noteTime("esc-frame-to-answer", frameAt);
    }
  }

  async #decide(text: string): Promise<void> {
    const { known } = this.#knowledge;
    const policy = policyOf(this.#settings);
    if (known === null) this.#settingsView.open();
    if (policy === null) this.#scan.say(this.#language.word("service_gone"));
    if (known === null || policy === null || this.#isBusy) return;
    this.#isBusy = true;
    const start = performance.now();
    try {
      const answer = await this.#desk.decide(text, known, policy);
      noteTime("esc-check", start);
      this.#signals.give(outcomeOf(answer), this.#settings);
      this.#answer.show(answer, this.#language, this.#settings.nextAfter);
      await this.#count(answer);
    } finally {
      this.#isBusy = false;
    }
  }

  async #sayReaderFailed(): Promise<void> {
    await this.#render();
    this.#scan.say(this.#language.word("reader_failed"));
  }

  async #count(answer: Answer): Promise<void> {
    try {
      await countAnswer(this.#database, answer, this.#settings.service);
    } catch (error) {
      // The answer stands, and is on the screen; that nothing can be stored is said as well.
      if (!(error instanceof StorageError)) throw error;
      this.#scan.say(this.#language.word("storage_failed"));
    }
  }

  async #change(settings: Settings): Promise<void> {
    this.#settings = settings;
    await saveSettings(this.#database, settings);
    await this.#render();
  }

  async #setUp(source: string, text: string): Promise<string> {
    const anchors = parseAnchors(text);
    if (anchors === null) return this.#language.word(text.trim() === "" ? "setup_first" : "anchor_wrong");
    if (source !== "" && !isUsableAddress(source)) return this.#language.word("reason_address");
    await this.#knowledge.setUp(source === "" ? null : source, anchors);
    await navigator.storage.persist();
    const said = source === "" ? "" : await this.#renew();
    await this.#renderSettings();
    return said;
  }

  async #renew(): Promise<string> {
    return this.#take(() => this.#knowledge.renew());
  }

  async #renewQuietly(): Promise<void> {
    if (navigator.onLine && this.#knowledge.source !== null) {
      const said = await this.#renew();
      if (this.#knowledge.known === null) this.#scan.say(said);
    }
    await this.#showState();
  }

  /** Takes something in, and what to say of it. */
  async #take(take: () => Promise<boolean>): Promise<string> {
    try {
      const isNew = await take();
      await this.#showState();
      return isNew ? this.#newKnowledge() : this.#language.word("fetched_same");
    } catch (error) {
      return this.#faultOf(error);
    }
  }

  #newKnowledge(): string {
    const { known } = this.#knowledge;
    if (known === null || known instanceof CardError) return "";
    const stored = { sequence: known.trust.sequence, moment: this.#language.moment(this.#asOf() ?? 0) };
    const said = [this.#language.word("fetched_new", stored)];
    if (known.problems.length > 0)
      said.push(this.#language.word("parts_left_out", { count: known.problems.length }));
    return said.join(" ");
  }

  #faultOf(error: unknown): string {
    const language = this.#language;
    if (error instanceof FetchError) {
      return language.word("fetch_failed", { reason: language.word(error.key, error.values) });
    }
    if (error instanceof CardError) {
      const name: RefusalName = error.refusal;
      return language.word("bundle_refused", { ...language.refusal(name), name });
    }
    if (error instanceof StorageError) return language.word("storage_failed");
    throw error;
  }

  /** The oldest knowledge of any status: that is what can be said of all cards. */
  #asOf(): number | null {
    const { known } = this.#knowledge;
    if (known === null || known instanceof CardError) return null;
    const instants = [...known.statusLists.values()].map((token) => token.issuedAt);
    return instants.length === 0 ? known.trust.issuedAt : instants.reduce((a, b) => Math.min(a, b));
  }

  async #showState(): Promise<void> {
    const language = this.#language;
    const [asOf, policy] = [this.#asOf(), policyOf(this.#settings)];
    const isOld = asOf === null || policy === null || clock() - asOf > policy.freshFor;
    this.#scan.showAsOf(this.#asOfLine(language, asOf), isOld);
    const counts = await countsOf(this.#database, dayOf(clock()));
    const words = Object.entries(counts).map(
      ([outcome, count]) => `${count} ${language.word(`count_${outcome}`)}`,
    );
    this.#scan.showCounts(words.join(" · "));
  }

  #asOfLine(language: Language, asOf: number | null): string {
    const { known } = this.#knowledge;
    if (known instanceof CardError) return language.refusal(known.refusal).sentence;
    if (known === null || asOf === null) return language.word("knowledge_none");
    const moment = language.word("known_as_of", {
      moment: language.moment(asOf),
      age: language.age(clock() - asOf),
    });
    const what = {
      institutions: known.trust.institutions.size,
      lists: known.statusLists.size,
      sequence: known.trust.sequence,
    };
    const offline = navigator.onLine ? [] : [language.word("offline")];
    return [moment, language.word("knowledge_of", what), ...offline].join(" · ");
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

/** For whoever looks for what is slow: the last time is in the browser's own list of measures. */
function noteTime(name: string, start: number): void {
  performance.clearMeasures(name);
  performance.measure(name, { start });
}

async function bytesOf(file: File): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await file.arrayBuffer());
}
