/** Checking an ESC QR code, offline: the steps of docs/esc-qr.md, section 5. */

import { statusListOf, type Knowledge } from "./bundle.ts";
import { bytesToHex, concat, eightBytes, sha256, type Bytes } from "./bytes.ts";
import { profileOf, type HolderKey } from "./card_claims.ts";
import {
  checkScope,
  checkService,
  checkStatus,
  checkTime,
  checkTrustList,
  findInstitution,
  type VerifiedCard,
} from "./checks.ts";
import { verifiesLowS } from "./cose.ts";
import { refuse } from "./errors.ts";
import { e2SigningInput, parseCode, type Shown, type UnverifiedCode } from "./esc_qr.ts";
import { picOf } from "./identifiers.ts";
import { keyOfCompressed, type PublicKey } from "./p256.ts";
import { DEFAULT_POLICY, rememberFor, type Policy } from "./policy.ts";
import type { ReplayMemory } from "./replay.ts";
import type { SignatureCache } from "./signature_cache.ts";
import { checkKeyAt } from "./trust.ts";
import type { TrustedInstitution, TrustedKey } from "./trust_document.ts";

/** What a code is checked against. */
export interface CheckContext {
  readonly knowledge: Knowledge;
  readonly now: number; // seconds since 1970, UTC
  readonly policy?: Policy;
  readonly replay?: ReplayMemory; // without it, a copy shown within a minute passes again
  readonly challenge?: Bytes; // what the phone was asked to sign as well
  readonly cache?: SignatureCache;
}

const NO_CHALLENGE = new Uint8Array();

/** Checks one scanned code; throws the `CardError` of the first step that failed. */
export async function verifyCard(text: string, context: CheckContext): Promise<VerifiedCard> {
  const { knowledge, now, policy = DEFAULT_POLICY, replay, challenge = NO_CHALLENGE, cache } = context;
  // 1. Form: size, address, base32, deterministic CBOR, claims.       (sections 1 to 3)
  const code = parseCode(text);
  const { claims } = code.e1;
  // 2. Kind: the service may want a live code (a challenge is in no other), or the identity profile.
  checkKind(code, policy, challenge);
  // 3. Institution: the one that the card number names, in the trust list.
  checkTrustList(knowledge, now, policy.leeway);
  const institution = findInstitution(knowledge, picOf(code.escn));
  // 4. Key: one of this institution's, by the eight bytes of its id.
  const keys = findKeys(code, institution, knowledge);
  // 5. Signature of the institution, over the bytes received and the card number.
  const key = await verifyIssuerSignature(code, keys, cache);
  // 6. The key's time: valid, and not compromised, when the card was signed.
  checkKeyAt(key, claims.issuedAt);
  // 7. The card's own time.
  checkTime(claims.issuedAt, claims.expiresAt, now, policy.leeway);
  // 8. ESI: within the scopes that the institution may write.
  if (claims.esi !== null) checkScope(claims.esi, institution);
  // 9. Live: signed by the phone, just now.
  if (code.shown !== null) await verifyLive(code, code.shown, { now, policy, challenge });
  // 10. Status: in the institution's list, recent enough.
  const token = await statusListOf(knowledge, institution, claims.statusList);
  if (token === undefined) return refuse("StatusUnknown", "no status list for this card is known");
  const freshness = checkStatus(token, claims.statusIndex, now, policy);
  const card: VerifiedCard = {
    type: "EuropeanStudentCard",
    evidence: code.shown === null ? "static" : "live",
    institution,
    escn: code.escn,
    name: claims.name,
    level: claims.level,
    esi: claims.esi,
    profile: profileOf(claims),
    issuedAt: claims.issuedAt,
    expiresAt: claims.expiresAt,
    statusAsOf: token.issuedAt,
    freshness,
    shownAt: code.shown?.at ?? null,
  };
  // 11. Service: one of the institutions, countries, types and levels it takes, showing what it needs.
  checkService(card, policy);
  // 12. Replay: last, so that only codes that pass are remembered.
  if (code.shown !== null && replay !== undefined) await remember(code, code.shown, replay, { now, policy });
  return card;
}

function checkKind(code: UnverifiedCode, policy: Policy, challenge: Bytes): void {
  if ((policy.liveOnly || challenge.length > 0) && code.shown === null)
    refuse("StaticCode", "a live code is asked for, this one is static");
  if (policy.identityOnly && profileOf(code.e1.claims) !== "identity") {
    refuse("ProfileRefused", "the identity profile is asked for, this is the status profile");
  }
}

function findKeys(code: UnverifiedCode, institution: TrustedInstitution, knowledge: Knowledge): TrustedKey[] {
  const found = knowledge.trust.byKidBytes.get(bytesToHex(code.e1.kid)) ?? [];
  const keys = found.filter((one) => one.institution === institution).map((one) => one.key);
  if (keys.length > 0) return keys;
  if (found.length > 0) refuse("ForeignKey", "signed by another institution than the card number names");
  return refuse("UnknownKey", "the institution has no such key");
}

// Eight bytes of a key id can collide; every key that has them is tried.
async function verifyIssuerSignature(
  code: UnverifiedCode,
  keys: readonly TrustedKey[],
  cache: SignatureCache | undefined,
): Promise<TrustedKey> {
  const kid = cache?.kidOf(code.escn, code.e1Bytes);
  const known = keys.find((key) => key.kid === kid);
  if (known !== undefined) return known;
  for (const key of keys) {
    if (!(await verifiesLowS(key.publicKey, code.e1.signature, code.e1.signingInput))) continue;
    cache?.add(code.escn, code.e1Bytes, key.kid);
    return key;
  }
  return refuse("BadSignature", "the institution's signature does not fit");
}

// Finding y takes longer than a signature, and the same phones come again.
const deviceKeys = new Map<string, PublicKey>();

function deviceKeyOf({ x, yIsOdd }: HolderKey): PublicKey {
  const name = `${yIsOdd}${bytesToHex(x)}`;
  const known = deviceKeys.get(name);
  if (known !== undefined) return known;
  const key =
    keyOfCompressed(x, yIsOdd) ?? refuse("MalformedCode", "the phone's key is not a point of P-256");
  if (deviceKeys.size >= 4096) deviceKeys.clear();
  deviceKeys.set(name, key);
  return key;
}

async function verifyLive(
  code: UnverifiedCode,
  shown: Shown,
  { now, policy, challenge }: { now: number; policy: Policy; challenge: Bytes },
): Promise<void> {
  const key = deviceKeyOf(code.e1.claims.holderKey);
  const message = await e2SigningInput(code.e1Bytes, shown.at, challenge);
  if (!(await verifiesLowS(key, shown.signature, message))) {
    refuse("BadDeviceSignature", "the phone's signature does not fit");
  }
  if (shown.at < now - policy.shownWithin) refuse("StaleCode", `shown ${now - shown.at} seconds ago`);
  if (shown.at > now + policy.shownAhead)
    refuse("CodeFromFuture", `shown ${shown.at - now} seconds in the future`);
}

// Not the text or the signature: whoever holds the phone could make two of the same second.
async function remember(
  code: UnverifiedCode,
  shown: Shown,
  replay: ReplayMemory,
  { now, policy }: { now: number; policy: Policy },
): Promise<void> {
  const key = bytesToHex(await sha256(concat(code.e1Bytes, eightBytes(shown.at))));
  const isNew = await replay.remember(key, { now, until: now + rememberFor(policy) });
  if (!isNew) refuse("Replayed", "this code was shown here before");
}
