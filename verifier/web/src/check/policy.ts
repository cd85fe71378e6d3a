/**
 * What a service accepts. Numbers are seconds; the defaults are those of docs/offline-bundle.md. A
 * policy can be stricter or more lenient, but it cannot switch a check off.
 */

import { refuse } from "./errors.ts";
import type { AcademicLevel } from "./identifiers.ts";

export const HOUR = 3_600;
export const DAY = 86_400;

/** How new the knowledge of a card's status is; stale is accepted, with a warning. */
export type Freshness = "fresh" | "stale";

/** What a service may need to read of the student. */
export const CLAIMS = ["name", "level", "esi"] as const;
export type Claim = (typeof CLAIMS)[number];

/** What kinds of credentials there are: our card, as a code or an SD-JWT VC, and the student attestation of European wallets. */
export const CREDENTIAL_TYPES = ["EuropeanStudentCard", "VerifiableStudentID"] as const;
export type CredentialType = (typeof CREDENTIAL_TYPES)[number];

export interface Policy {
  readonly liveOnly: boolean; // take live codes (E2) only
  readonly identityOnly: boolean; // take codes and credentials with an ESI only
  readonly freshFor: number; // up to this age, knowledge of a status is fresh
  readonly staleUntil: number; // up to this age it is accepted with a warning
  readonly leeway: number; // how far two honest clocks may be apart
  readonly shownWithin: number; // how long ago a live code may have been shown
  readonly shownAhead: number; // how far ahead the phone's clock may be
  readonly institutions: ReadonlySet<string> | null; // PICs of those it takes; null for all
  readonly countries: ReadonlySet<string> | null; // ISO 3166-1, upper case; null for all
  readonly types: ReadonlySet<CredentialType> | null; // kinds of credentials that it takes; null for all
  readonly levels: ReadonlySet<AcademicLevel> | null; // a card that names none is then refused
  readonly claims: ReadonlySet<Claim>; // what the card must show
}

export const DEFAULT_POLICY: Policy = {
  liveOnly: false,
  identityOnly: false,
  freshFor: DAY,
  staleUntil: 7 * DAY,
  leeway: 60,
  shownWithin: 45,
  shownAhead: 15,
  institutions: null,
  countries: null,
  types: null,
  levels: null,
  claims: new Set(),
};

/** How long a shown code must be remembered; after it, its time refuses it anyway. */
export function rememberFor(policy: Policy): number {
  return policy.shownWithin + policy.shownAhead + 30;
}

/** Judges how old the knowledge of a status is; `StatusTooOld` beyond what the service accepts. */
export function freshnessOf(policy: Policy, asOf: number, now: number): Freshness {
  const age = now - asOf;
  if (age > policy.staleUntil) refuse("StatusTooOld", `the status is ${Math.floor(age / HOUR)} hours old`);
  return age <= policy.freshFor ? "fresh" : "stale";
}
