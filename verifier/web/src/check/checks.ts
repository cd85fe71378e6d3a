/** The steps of checking that a QR code and an SD-JWT VC share; each has its own refusal. */

import type { Knowledge } from "./bundle.ts";
import type { Profile } from "./card_claims.ts";
import { refuse } from "./errors.ts";
import type { AcademicLevel, Escn, Esi, Pic } from "./identifiers.ts";
import { CLAIMS, freshnessOf, type CredentialType, type Freshness, type Policy } from "./policy.ts";
import { CARD_STATUS, type StatusListToken } from "./status.ts";
import type { TrustedInstitution } from "./trust_document.ts";

/** What a verified card was shown by, from strongest to weakest; of a static one a copy looks the same. */
export type Evidence = "live" | "key-binding" | "static";

/** A card that passed every step: what may be relied on, and as of when. */
export interface VerifiedCard {
  readonly type: CredentialType;
  readonly evidence: Evidence;
  readonly institution: TrustedInstitution;
  readonly escn: Escn | null; // null: a credential that does not disclose it
  readonly name: string | null;
  readonly level: AcademicLevel | null;
  readonly esi: Esi | null;
  readonly profile: Profile;
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly statusAsOf: number; // when the institution signed the status list
  readonly freshness: Freshness;
  readonly shownAt: number | null; // of a live code
}

/** Holds the trust list to its own end, also when it was taken in long ago. */
export function checkTrustList(knowledge: Knowledge, now: number, leeway: number): void {
  if (knowledge.trust.expiresAt + leeway <= now)
    refuse("DocumentExpired", "the trust list is past its own end");
}

/** The institution that a card number names. */
export function findInstitution(knowledge: Knowledge, pic: Pic): TrustedInstitution {
  return (
    knowledge.trust.institutions.get(pic) ??
    refuse("UnknownInstitution", `no institution ${pic} in the trust list`)
  );
}

/** The institution whose address is a credential's `iss`, compared as plain text. */
export function findIssuer(knowledge: Knowledge, issuer: string): TrustedInstitution {
  return (
    knowledge.trust.byIssuer.get(issuer) ??
    refuse("UnknownInstitution", "no institution has this issuer address")
  );
}

/** Holds a card to its own first and last second, with a leeway for clocks. */
export function checkTime(issuedAt: number, expiresAt: number, now: number, leeway: number): void {
  if (issuedAt > now + leeway) refuse("NotYetValid", "it begins in the future");
  if (expiresAt + leeway <= now) refuse("Expired", "its last second has passed");
}

/** Holds an institution to the ESI scopes that the trust list grants it. */
export function checkScope(esi: Esi, institution: TrustedInstitution): void {
  if (!institution.esiScopes.has(esi.scope.toLowerCase())) {
    refuse("ForeignScope", "the institution may not write an ESI of this scope");
  }
}

/**
 * Looks a card up in its status list (draft-ietf-oauth-status-list-20, section 8.3).
 *
 * A status that is known to be bad refuses at any age; only "valid" has to be fresh enough.
 */
export function checkStatus(token: StatusListToken, index: number, now: number, policy: Policy): Freshness {
  const value = token.entries.valueAt(index);
  if (value === null) refuse("StatusUnknown", "the card's entry is outside of its status list");
  if (value === CARD_STATUS.suspended) refuse("Suspended", "suspended by its institution");
  if (value !== CARD_STATUS.valid) refuse("Revoked", "revoked by its institution");
  if (token.expiresAt !== null && token.expiresAt + policy.leeway <= now) {
    refuse("StatusTooOld", "the status list is past its own end");
  }
  return freshnessOf(policy, token.issuedAt, now);
}

/** Holds a good card to what this service takes (docs/rules.md). */
export function checkService(card: VerifiedCard, policy: Policy): void {
  const { institutions, countries, types, levels, claims } = policy;
  if (institutions !== null && !institutions.has(card.institution.pic)) {
    refuse("InstitutionNotAccepted", "this service does not take cards of this institution");
  }
  if (countries !== null && !countries.has(card.institution.country)) {
    refuse("CountryNotAccepted", "this service does not take cards of this country");
  }
  if (types !== null && !types.has(card.type)) {
    refuse("TypeNotAccepted", "this service does not take this type of credential");
  }
  for (const claim of CLAIMS) {
    const isNeeded = claims.has(claim) || (claim === "level" && levels !== null);
    if (isNeeded && card[claim] === null) refuse("ClaimMissing", `the card does not show its ${claim}`);
  }
  if (levels !== null && (card.level === null || !levels.has(card.level))) {
    refuse("LevelNotAccepted", "this service does not take cards of this level");
  }
}
