/** The services a provider can choose from: the presets of `verifier/presets`, and its own file. */

import { DEFAULT_POLICY, nameIn, parseRules, RulesError, type Policy, type Rules } from "../check/index.ts";
import type { Settings } from "./settings.ts";

const TEXTS = import.meta.glob<string>("../../../presets/*.toml", {
  query: "?raw",
  import: "default",
  eager: true,
});
const PRESETS = new Map(
  Object.entries(TEXTS).map(([path, text]) => [path.replace(/^.*\/|\.toml$/g, ""), parseRules(text)]),
);
export const OWN = "own";

/** The services' values and names, for a choice. */
export function servicesIn(language: string, settings: Settings): [string, string][] {
  const services = [...PRESETS].map(([name, rules]): [string, string] => [name, nameIn(rules, language)]);
  const own = ownRulesOf(settings);
  return own === null ? services : [...services, [OWN, nameIn(own, language)]];
}

/**
 * What the chosen service accepts. Null when its rules are gone or no longer understood, after an
 * update of the page for example: then nothing can be decided, and nothing more lenient takes their place.
 */
export function policyOf(settings: Settings): Policy | null {
  if (settings.service === "") return DEFAULT_POLICY;
  const rules = settings.service === OWN ? ownRulesOf(settings) : PRESETS.get(settings.service);
  return rules?.policy ?? null;
}

function ownRulesOf(settings: Settings): Rules | null {
  try {
    return settings.ownRules === null ? null : parseRules(settings.ownRules);
  } catch (error) {
    if (error instanceof RulesError) return null;
    throw error;
  }
}
