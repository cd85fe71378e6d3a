/**
 * Every reason for which a card or a document is refused: the leaves of the tree in
 * `verifier/errors.py`, under their branches. Messages are lower case and hold no personal data.
 */

export const REFUSALS = {
  malformed: [
    "MalformedCode",
    "NotACard",
    "UnsignedCode",
    "UnknownVersion",
    "MalformedIdentifier",
    "MalformedJws",
    "MalformedCredential",
    "MalformedPresentation",
    "IncompletePresentation",
  ],
  issuer: [
    "UnknownInstitution",
    "UnknownKey",
    "ForeignKey",
    "KeyNotValid",
    "KeyCompromised",
    "BadSignature",
    "ForeignScope",
  ],
  time: ["NotYetValid", "Expired"],
  live: ["StaticCode", "BadDeviceSignature", "StaleCode", "CodeFromFuture", "Replayed"],
  profile: ["ProfileRefused"],
  status: ["StatusUnknown", "StatusTooOld", "Revoked", "Suspended"],
  service: [
    "InstitutionNotAccepted",
    "CountryNotAccepted",
    "TypeNotAccepted",
    "ClaimMissing",
    "LevelNotAccepted",
  ],
  document: [
    "MalformedDocument",
    "DocumentTooLarge",
    "DocumentUntrusted",
    "DocumentExpired",
    "DocumentFromFuture",
    "DocumentRolledBack",
    "BaseNotHeld",
  ],
} as const;

export type RefusalName = (typeof REFUSALS)[keyof typeof REFUSALS][number];

/** A refusal. Its name is a member, since a minifier renames classes. */
export class CardError extends Error {
  readonly refusal: RefusalName;

  constructor(refusal: RefusalName, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = refusal;
    this.refusal = refusal;
  }
}

/** Refuses; an expression, so that it can stand where a value is missing. */
export function refuse(refusal: RefusalName, message: string): never {
  throw new CardError(refusal, message);
}

/** What `read` returns; any refusal of it becomes this one. */
export function refusingAs<T>(refusal: RefusalName, what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof CardError) throw new CardError(refusal, `${what}: ${error.message}`, error);
    throw error;
  }
}
