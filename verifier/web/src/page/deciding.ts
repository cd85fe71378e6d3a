/** From what is seen to the answer on the screen: a code, or a presentation put together of parts. */

import { isPart, type Policy } from "../check/index.ts";
import type { AnswerView } from "./answer_view.ts";
import { Asking } from "./asking.ts";
import { countAnswer } from "./counts.ts";
import { StorageError, type Database } from "./database.ts";
import { Desk, outcomeOf, type Answer, type Showing } from "./desk.ts";
import type { Language } from "./languages.ts";
import { ReplayStore } from "./replay_store.ts";
import { policyOf } from "./services.ts";
import type { Settings } from "./settings.ts";
import type { Signals } from "./signals.ts";
import type { TrustLists } from "./trust_lists.ts";

const SAME_CODE = 3_000; // milliseconds: so long a code must be out of sight to count as shown again

/** What deciding needs of the page. */
export interface Surroundings {
  readonly database: Database;
  readonly clock: () => number;
  readonly lists: TrustLists;
  readonly answer: AnswerView;
  readonly signals: Signals;
  readonly settings: () => Settings;
  readonly language: () => Language;
  readonly say: (text: string) => void;
  readonly setUp: () => void; // nothing is known yet
  readonly changed: () => void; // what was asked for, or how much of it came
}

export class Deciding {
  readonly asking: Asking;
  readonly #page: Surroundings;
  readonly #desk: Desk;
  #seen = { text: "", at: -Infinity };
  #isBusy = false;

  constructor(page: Surroundings) {
    this.#page = page;
    this.asking = new Asking(page.clock);
    this.#desk = new Desk(page.clock, new ReplayStore(page.database));
  }

  /** What the camera sees, many times a second: the same code is one, until it was out of sight. */
  async see(text: string, frameAt: number): Promise<void> {
    const { answer } = this.#page;
    const isSame = text === this.#seen.text && performance.now() - this.#seen.at < SAME_CODE;
    if (text === this.#seen.text || !answer.isOpen) this.#seen = { text, at: performance.now() };
    if (isSame || answer.isOpen || this.asking.isDone(text)) return;
    await this.decide(text);
    noteTime("esc-frame-to-answer", frameAt);
  }

  /** What was scanned, typed or pasted. */
  async decide(text: string): Promise<void> {
    const { say, language, lists } = this.#page;
    await lists.open();
    const policy = policyOf(this.#page.settings());
    if (policy === null) say(language().word("service_gone"));
    else if (lists.usable.length === 0 && lists.fault === null) this.#page.setUp();
    else if (isPart(text)) await this.#takePart(text, policy);
    else if (text.includes("~") && this.asking.asked !== null) await this.#answerAsked(text, policy);
    else await this.#answer({ text, digits: this.asking.digits, binding: undefined }, policy);
  }

  async #takePart(text: string, policy: Policy): Promise<void> {
    const { say, language, clock, changed } = this.#page;
    if (this.asking.asked === null) {
      // Without a request nothing tells a copy of an old presentation from a new one.
      if (!this.asking.isDone(text)) say(language().word("not_asked"));
      return;
    }
    say("");
    const taken = await this.asking.take(text);
    changed();
    if (taken === null) return;
    if ("refusal" in taken) {
      await this.#show({ card: null, refusal: taken.refusal, checkedAt: clock() });
      return;
    }
    await this.#answerAsked(taken.presentation, policy);
  }

  /** A presentation that was asked for: with its answer, whatever it is, the request is over. */
  async #answerAsked(text: string, policy: Policy): Promise<void> {
    const { asked, binding } = this.asking;
    this.asking.withdraw();
    await this.#answer(
      { text, digits: null, binding },
      policy,
      asked === null ? {} : { asked: asked.claims },
    );
    this.#page.changed();
  }

  async #answer(showing: Showing, policy: Policy, asked: Partial<Answer> = {}): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    const start = performance.now();
    try {
      const answer = await this.#desk.decide(showing, this.#page.lists, policy);
      noteTime("esc-check", start);
      const digits = showing.digits === null ? {} : { digits: showing.digits };
      await this.#show({ ...answer, ...asked, ...digits });
    } finally {
      this.#isBusy = false;
    }
  }

  async #show(answer: Answer): Promise<void> {
    const { signals, settings, language } = this.#page;
    signals.give(outcomeOf(answer), settings());
    this.#page.answer.show(answer, language(), settings().nextAfter);
    // Digits that were signed once could have been made known.
    if (answer.digits !== undefined) this.asking.askDigits(true);
    this.#page.changed();
    await this.#count(answer);
  }

  async #count(answer: Answer): Promise<void> {
    const { database, settings, say, language } = this.#page;
    try {
      await countAnswer(database, answer, settings().service);
    } catch (error) {
      // The answer stands, and is on the screen; that nothing can be stored is said as well.
      if (!(error instanceof StorageError)) throw error;
      say(language().word("storage_failed"));
    }
  }
}

/** For whoever looks for what is slow: the last time is in the browser's own list of measures. */
function noteTime(name: string, start: number): void {
  performance.clearMeasures(name);
  performance.measure(name, { start });
}
