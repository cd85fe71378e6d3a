/** What people read. A further language is one file more beside `languages/en.toml`. */

import en from "../languages/en.toml";
import lv from "../languages/lv.toml";
import type { CardState, RefusalName } from "../model.ts";

type Values = Readonly<Record<string, string | number>>;
type Words = Readonly<Record<string, string>>;

export interface Texts {
  readonly name_of_language: string;
  readonly words: Words;
  readonly states: Readonly<Record<CardState, string>>;
  readonly levels: Words;
  readonly shares: Words;
  readonly claims: Words;
  readonly refusals: Readonly<Record<RefusalName, { readonly sentence: string; readonly hint: string }>>;
}

const MINUTE = 60; // seconds
const HOUR = 3_600;
const DAY = 86_400;

export class Language {
  readonly code: string;
  readonly #texts: Texts;
  readonly #day: Intl.DateTimeFormat;
  readonly #isoDay: Intl.DateTimeFormat;
  readonly #shortDay: Intl.DateTimeFormat;
  readonly #moment: Intl.DateTimeFormat;
  readonly #countries: Intl.DisplayNames;

  constructor(code: string, locale: string, texts: Texts) {
    this.code = code;
    this.#texts = texts;
    this.#day = new Intl.DateTimeFormat(locale, { dateStyle: "long" });
    this.#shortDay = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" });
    this.#isoDay = new Intl.DateTimeFormat(locale, { dateStyle: "long", timeZone: "UTC" });
    this.#countries = new Intl.DisplayNames(locale, { type: "region" });
    this.#moment = new Intl.DateTimeFormat(locale, { dateStyle: "long", timeStyle: "short" });
  }

  get name(): string {
    return this.#texts.name_of_language;
  }

  /** A text by its key, with its blanks filled in. */
  word(key: string, values: Values = {}): string {
    const text = this.#texts.words[key];
    if (text === undefined) throw new Error(`no text ${key} in ${this.code}`);
    return text.replace(/\{(\w+)\}/g, (blank, name: string) => String(values[name] ?? blank));
  }

  state(state: CardState): string {
    return this.#texts.states[state];
  }

  /** A level of study; one that is new to this wallet as the institution writes it. */
  level(level: string): string {
    return this.#texts.levels[level] ?? level;
  }

  /** Something that is shared; what is new to this wallet as the service writes it. */
  share(code: string): string {
    return this.#texts.shares[code] ?? code;
  }

  /** What a request asks for; what is new to this wallet by the name in the request. */
  claim(name: string): string {
    return Object.hasOwn(this.#texts.claims, name) ? (this.#texts.claims[name] ?? name) : name;
  }

  refusal(name: RefusalName): { readonly sentence: string; readonly hint: string } {
    return this.#texts.refusals[name];
  }

  /** A country by its code of two letters; anything else as the institution writes it. */
  country(code: string): string {
    return /^[A-Z]{2}$/.test(code) ? (this.#countries.of(code) ?? code) : code;
  }

  /** How long, roughly. */
  duration(seconds: number): string {
    if (seconds >= 2 * HOUR) return this.word("hours_long", { count: Math.floor(seconds / HOUR) });
    if (seconds >= MINUTE) return this.word("minutes_long", { count: Math.floor(seconds / MINUTE) });
    return this.word("seconds_long", { count: Math.floor(seconds) });
  }

  /** How long ago, in words. */
  ago(seconds: number): string {
    if (seconds < 2 * MINUTE) return this.word("just_now");
    if (seconds < HOUR) return this.word("minutes_ago", { count: Math.floor(seconds / MINUTE) });
    if (seconds < DAY) return this.word("hours_ago", { count: Math.floor(seconds / HOUR) });
    if (seconds < 2 * DAY) return this.word("yesterday");
    return this.word("days_ago", { count: Math.floor(seconds / DAY) });
  }

  /** The day of an instant, by this phone's time zone. */
  day(seconds: number): string {
    return this.#day.format(seconds * 1000);
  }

  shortDay(seconds: number): string {
    return this.#shortDay.format(seconds * 1000);
  }

  /** A day of the calendar, such as 2028-08-31. */
  calendarDay(iso: string): string {
    return this.#isoDay.format(new Date(`${iso}T00:00:00Z`));
  }

  moment(seconds: number): string {
    return this.#moment.format(seconds * 1000);
  }
}

const LANGUAGES: readonly Language[] = [new Language("en", "en-GB", en), new Language("lv", "lv-LV", lv)];

export function languages(): readonly Language[] {
  return LANGUAGES;
}

/** The language with this code, else the first one that the browser asks for, else English. */
export function languageOf(code: string | null): Language {
  const wanted = [code, ...navigator.languages.map((one) => one.slice(0, 2).toLowerCase()), "en"];
  for (const one of wanted) {
    const found = LANGUAGES.find((language) => language.code === one);
    if (found !== undefined) return found;
  }
  throw new Error("no language");
}
