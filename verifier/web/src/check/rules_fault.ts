/**
 * What can be wrong with a file of rules, by name: so that it can be said in any language. English is
 * here; `verifier/cli/languages` has the others.
 */

export const FAULTS = {
  too_long: "the file is longer than {most} characters",
  not_utf8: "not UTF-8",
  not_toml: "not TOML: {why}",
  several_lines: "a text stays on its line: no triple quotes",
  table: "no tables: one `key = value` after the other",
  not_bare: "keys are written bare, one at the start of a line",
  unknown: "there is no such rule",
  no_version: "`rules = {version}` is missing",
  no_service: "`service`, the service's name, is missing",
  version: "this program knows version {version} only",
  truth: "true or false",
  hours: "a whole number of hours from 1 to {most}",
  less_than_fresh: "it is less than fresh_hours",
  name: "a name of 1 to {most} characters",
  list: "a list of 1 to {most}; leave the rule out to take all",
  twice: "something is listed twice",
  pic: "a PIC is a text of nine digits",
  country: "a country is a text of two capital letters (ISO 3166-1)",
  one_of: "one of {names}",
  no_level: "a VerifiableStudentID alone names no level, and one is asked for",
} as const;
export type RulesFault = keyof typeof FAULTS;
export type FaultValues = Readonly<Record<string, string | number>>;

/** The file breaks its format. */
export class RulesError extends Error {
  readonly line: number | null; // from 1; null for the file as a whole
  readonly fault: RulesFault;
  readonly key: string | null; // the rule that it concerns
  readonly #values: FaultValues;

  constructor(line: number | null, fault: RulesFault, values: FaultValues = {}, key: string | null = null) {
    super();
    this.name = "RulesError";
    [this.line, this.fault, this.key, this.#values] = [line, fault, key, values];
    this.message = line === null ? this.reason : `line ${line}: ${this.reason}`;
  }

  /** What is wrong, in English. */
  get reason(): string {
    return this.reasonAs(FAULTS[this.fault]);
  }

  /** What is wrong, as another language says it: in a text with the blanks of `FAULTS`, or some of them. */
  reasonAs(text: string): string {
    const reason = text.replace(/\{(\w+)\}/g, (blank, name: string) => String(this.#values[name] ?? blank));
    return this.key === null ? reason : `${this.key}: ${reason}`;
  }
}
