/**
 * What people read. What the command line says as well (words, every refusal's sentence and hint)
 * comes from its files, `verifier/cli/languages`; a further language is one file there and one here.
 */

import sharedEn from "../../../cli/languages/en.toml";
import sharedLv from "../../../cli/languages/lv.toml";
import { FAULTS, type RefusalName, type RulesError, type RulesFault } from "../check/index.ts";
import pageEn from "./languages/page.en.toml";
import pageLv from "./languages/page.lv.toml";

/** What is wrong, and what to do. */
export interface RefusalTexts {
  readonly sentence: string;
  readonly hint: string;
}

export interface SharedTexts {
  readonly words: Readonly<Record<string, string>>;
  readonly refusals: Readonly<Record<RefusalName, RefusalTexts>>;
  readonly rules_faults?: Readonly<Record<RulesFault, string>>; // English is in the check
}

type Values = Readonly<Record<string, string | number>>;

export class Language {
  readonly code: string;
  readonly #words: Readonly<Record<string, string>>;
  readonly #refusals: SharedTexts["refusals"];
  readonly #faults: Readonly<Record<RulesFault, string>>;

  constructor(code: string, shared: SharedTexts, page: Readonly<Record<string, string>>) {
    this.code = code;
    this.#words = { ...shared.words, ...page };
    this.#refusals = shared.refusals;
    this.#faults = shared.rules_faults ?? FAULTS;
  }

  /** A text by its key, with its blanks filled in. */
  word(key: string, values: Values = {}): string {
    const text = this.#words[key];
    if (text === undefined) throw new Error(`no text ${key} in ${this.code}`);
    return text.replace(/\{(\w+)\}/g, (blank, name: string) => String(values[name] ?? blank));
  }

  refusal(name: RefusalName): RefusalTexts {
    return this.#refusals[name];
  }

  /** What is wrong with a file of rules, and where. */
  rulesFault(error: RulesError): string {
    const reason = error.reasonAs(this.#faults[error.fault]);
    return error.line === null ? reason : this.word("rules_line", { line: error.line, reason });
  }

  /** How long, in whole minutes, hours or days, as the command line says it. */
  age(seconds: number): string {
    const age =
      seconds >= 2 * 86_400
        ? this.word("days", { count: Math.floor(seconds / 86_400) })
        : seconds >= 2 * 3_600
          ? this.word("hours", { count: Math.floor(seconds / 3_600) })
          : this.word("minutes", { count: Math.floor(Math.max(seconds, 0) / 60) });
    return age.replaceAll(" ", "\u00a0"); // a number and its unit stay on one line
  }

  /** An instant for people, to the minute, by this device's time zone. */
  moment(seconds: number): string {
    const date = new Date(seconds * 1000);
    const two = (value: number) => String(value).padStart(2, "0");
    const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
    return unbroken(`${day} ${two(date.getHours())}:${two(date.getMinutes())}`);
  }

  /** The last day before an instant: what "valid until" means to people. */
  day(seconds: number): string {
    return unbroken(new Date(Math.max(seconds - 1, 0) * 1000).toISOString().slice(0, 10));
  }
}

/** A date that no line ends in: behind each hyphen a word joiner, which is not seen. */
function unbroken(date: string): string {
  return date.replaceAll("-", "-\u2060");
}

const LANGUAGES = [new Language("en", sharedEn, pageEn), new Language("lv", sharedLv, pageLv)];

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
