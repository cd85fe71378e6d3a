/**
 * What a valid European Student Card is, decided offline, in any JavaScript with WebCrypto.
 *
 * The same steps, in the same order and with the same refusals as the Python package `verifier`,
 * whose modules have the same names.
 */

export { partsOf, verifyBundle, type BundleParts, type Knowledge } from "./bundle.ts";
export { openParts } from "./bundle_on_demand.ts";
export type { Evidence, VerifiedCard } from "./checks.ts";
export { CardError, REFUSALS, type RefusalName } from "./errors.ts";
export { nameIn, parseRules, rulesTextOf, type Rules } from "./rules.ts";
export { FAULTS, RulesError, type RulesFault } from "./rules_fault.ts";
export { CLAIMS, DAY, DEFAULT_POLICY, HOUR, type Claim, type Freshness, type Policy } from "./policy.ts";
export {
  isPart,
  joinParts,
  parsePart,
  PartCollector,
  splitPresentation,
  type Part,
} from "./presentation_qr.ts";
export {
  ANSWERED_WITHIN,
  alternativesFor,
  askableClaims,
  claimsFor,
  encodeRequest,
  isAudience,
  isRequest,
  MAX_AUDIENCE_CHARS,
  parseRequest,
  type PresentationRequest,
} from "./presentation_request.ts";
export { InMemoryReplay, type ReplayMemory } from "./replay.ts";
export { parseChanges, takeChanges, type StatusChanges, type TakenChanges } from "./status_changes.ts";
export { SignatureCache } from "./signature_cache.ts";
export { verifyCard, type CheckContext } from "./verify.ts";
export { verifyCredential, type CredentialContext, type ExpectedKeyBinding } from "./verify_sd_jwt_vc.ts";
