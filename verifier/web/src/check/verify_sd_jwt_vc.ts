/**
 * Checking an SD-JWT VC, offline, with or without key binding: docs/credential.md, section 3.
 *
 * The issuer's key comes from the trust list, never from the credential.
 */

import type { Knowledge } from "./bundle.ts";
import { encodeUtf8, sha256 } from "./bytes.ts";
import {
  checkScope,
  checkService,
  checkStatus,
  checkTime,
  checkTrustList,
  findIssuer,
  type VerifiedCard,
} from "./checks.ts";
import { refuse, refusingAs } from "./errors.ts";
import { picOf } from "./identifiers.ts";
import { b64urlEncode, parseJws, verifiesJws } from "./jws.ts";
import { DEFAULT_POLICY, type CredentialType, type Policy } from "./policy.ts";
import {
  parseCredential,
  readClaims,
  VERIFIABLE_STUDENT_ID_VCT,
  type CredentialClaims,
  type UnverifiedCredential,
} from "./sd_jwt_vc.ts";
import { parseSeconds, type StatusListToken } from "./status.ts";
import { checkKeyAt } from "./trust.ts";
import type { TrustedInstitution, TrustedKey } from "./trust_document.ts";

const KEY_BINDING_TYP = "kb+jwt";
const MAX_KEY_BINDING_CHARS = 4_096;

/** What a verifier asked the wallet to sign (RFC 9901, section 4.3). */
export interface ExpectedKeyBinding {
  readonly audience: string;
  readonly nonce: string;
}

/** What a credential is checked against. */
export interface CredentialContext {
  readonly knowledge: Knowledge;
  readonly now: number; // seconds since 1970, UTC
  readonly policy?: Policy; // `liveOnly` here means key binding
  // Whether key binding is needed is decided here, never by whether one is present.
  readonly expectedKeyBinding?: ExpectedKeyBinding | undefined;
}

/** Checks one SD-JWT VC; throws the `CardError` of the first step that failed. */
export async function verifyCredential(text: string, context: CredentialContext): Promise<VerifiedCard> {
  const { knowledge, now, policy = DEFAULT_POLICY, expectedKeyBinding } = context;
  // 1. Form: size, base64url, strict JSON, typ, alg, claims in the clear.
  const credential = await parseCredential(text);
  // 2. Kind: with key binding where it is asked for.
  checkKind(credential, policy, expectedKeyBinding);
  // 3. Institution: the one whose address is `iss`, in the trust list.
  checkTrustList(knowledge, now, policy.leeway);
  const institution = findIssuer(knowledge, credential.unverifiedIssuer);
  // 4. Key: one of this institution's, by `kid`.
  const key = findKey(credential, institution, knowledge);
  // 5. Signature of the institution, over the bytes received; then the claims.
  if (!(await verifiesJws(credential.jws, key.publicKey)))
    refuse("BadSignature", "the signature does not fit");
  const claims = readClaims(credential);
  // 6. The key's time.
  checkKeyAt(key, claims.issuedAt);
  // 7. The credential's own time.
  checkTime(claims.issuedAt, claims.expiresAt, now, policy.leeway);
  // 8. Type: a student card. The same key may sign the institution's other credentials.
  const type = typeOf(claims, knowledge);
  // 9. What the institution may write: its own PIC, its own ESI scopes.
  checkEntitlement(claims, institution, policy);
  // 10. Key binding.
  if (expectedKeyBinding !== undefined) {
    await verifyKeyBinding(credential, claims, expectedKeyBinding, { now, policy });
  }
  // 11. Status: in one of the institution's lists, recent enough.
  const token = await findStatusList(claims, institution, knowledge);
  const freshness = checkStatus(token, claims.statusIndex, now, policy);
  const card: VerifiedCard = {
    type,
    evidence: expectedKeyBinding === undefined ? "static" : "key-binding",
    institution,
    escn: claims.escn,
    name: claims.name,
    level: claims.level,
    esi: claims.esis[0] ?? null,
    profile: claims.esis.length > 0 ? "identity" : "status",
    issuedAt: claims.issuedAt,
    expiresAt: claims.expiresAt,
    statusAsOf: token.issuedAt,
    freshness,
    shownAt: null,
  };
  // 12. Service: one of the institutions, countries, types and levels it takes, showing what it needs.
  checkService(card, policy);
  return card;
}

function checkKind(
  credential: UnverifiedCredential,
  policy: Policy,
  expected: ExpectedKeyBinding | undefined,
): void {
  if (policy.liveOnly && expected === undefined) {
    refuse("StaticCode", "a live presentation is asked for, but no key binding was requested");
  }
  if (expected !== undefined && credential.sdJwt.keyBindingJwt === null) {
    refuse("StaticCode", "key binding is asked for, this credential comes without");
  }
}

function findKey(
  credential: UnverifiedCredential,
  institution: TrustedInstitution,
  knowledge: Knowledge,
): TrustedKey {
  const kid = credential.jws.header.get("kid");
  const key = institution.keys.find((one) => one.kid === kid);
  if (key !== undefined) return key;
  for (const other of knowledge.trust.institutions.values()) {
    if (other.keys.some((one) => one.kid === kid)) {
      refuse("ForeignKey", "signed by another institution than the issuer named");
    }
  }
  return refuse("UnknownKey", "the institution has no such key");
}

function typeOf({ vct }: CredentialClaims, { trust }: Knowledge): CredentialType {
  if (vct === VERIFIABLE_STUDENT_ID_VCT) return "VerifiableStudentID";
  return trust.typeIntegrity.has(vct)
    ? "EuropeanStudentCard"
    : refuse("NotACard", "a credential of another type");
}

function checkEntitlement(claims: CredentialClaims, institution: TrustedInstitution, policy: Policy): void {
  const named = [claims.pic, claims.escn === null ? null : picOf(claims.escn)];
  if (named.some((pic) => pic !== null && pic !== institution.pic)) {
    refuse("ForeignKey", "signed by another institution than the card number or PIC names");
  }
  for (const esi of claims.esis) checkScope(esi, institution);
  if (policy.identityOnly && claims.esis.length === 0) {
    refuse("ProfileRefused", "an ESI is asked for, this presentation discloses none");
  }
}

async function findStatusList(
  claims: CredentialClaims,
  institution: TrustedInstitution,
  knowledge: Knowledge,
): Promise<StatusListToken> {
  const isOurs = [...institution.statusLists.values()].includes(claims.statusUri);
  const token = isOurs ? await knowledge.statusLists.find(claims.statusUri) : undefined;
  return token ?? refuse("StatusUnknown", "no status list of this institution for this credential is known");
}

async function verifyKeyBinding(
  credential: UnverifiedCredential,
  claims: CredentialClaims,
  expected: ExpectedKeyBinding,
  { now, policy }: { now: number; policy: Policy },
): Promise<void> {
  const binding = refusingAs("MalformedCredential", "not a key binding JWT", () =>
    parseJws(credential.sdJwt.keyBindingJwt ?? "", KEY_BINDING_TYP, MAX_KEY_BINDING_CHARS),
  );
  if (!(await verifiesJws(binding, claims.holderKey))) {
    refuse("BadDeviceSignature", "the wallet's signature does not fit");
  }
  const signed = binding.payload;
  const presented = await sha256(encodeUtf8(credential.sdJwt.presentedWithoutKeyBinding));
  if (signed.get("sd_hash") !== b64urlEncode(presented)) {
    refuse("BadDeviceSignature", "the wallet signed another presentation");
  }
  if (signed.get("aud") !== expected.audience || signed.get("nonce") !== expected.nonce) {
    refuse("BadDeviceSignature", "the wallet signed for another verifier or another request");
  }
  const signedAt = parseSeconds(signed.get("iat"), "MalformedCredential");
  if (signedAt < now - policy.shownWithin - policy.leeway)
    refuse("StaleCode", `signed ${now - signedAt} seconds ago`);
  if (signedAt > now + policy.leeway)
    refuse("CodeFromFuture", `signed ${signedAt - now} seconds in the future`);
}
