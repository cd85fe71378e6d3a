/**
 * What the wallet knows, as its parts hand it to each other.
 *
 * `store/` keeps these, `protocol/` and `keeping/` change them, `page/` shows them. Instants are
 * seconds since 1970 (UTC), days are ISO dates.
 */

export type CardState = "active" | "suspended" | "revoked" | "expired";

/** Why the service ended this phone (docs/wallet-api.md, device-ended). */
export type EndedAs = "replaced" | "by_student" | "by_staff" | "by_phone";

export interface Look {
  readonly backgroundColor: string;
  readonly textColor: string;
  /** Kept as bytes, so that it is there without network. */
  readonly logo: Blob | null;
}

/** What the institution last said of the card. */
export interface Facts {
  readonly escn: string;
  readonly state: CardState;
  readonly reason: string | null;
  readonly institution: { readonly pic: string; readonly name: string; readonly country: string };
  readonly name: string;
  readonly academicLevel: string | null;
  readonly issuedOn: string;
  readonly expiresOn: string;
}

export interface OwnPhoto {
  readonly state: "none" | "waiting" | "refused" | "approved";
  readonly reason: string | null;
}

/** A static code (E1) of docs/esc-qr.md, taken apart as far as a phone needs it. */
export interface StaticCode {
  readonly escn: string;
  readonly text: string;
  readonly e1: Uint8Array;
  readonly expiresAt: number;
}

export type Profile = "status" | "identity";

/** Something the student should be told once. */
export interface Notice {
  readonly at: number;
  readonly kind:
    | "suspended"
    | "reinstated"
    | "revoked"
    | "expired"
    | "renewed"
    | "ended"
    | "photo_approved"
    | "photo_refused"
    | "changed";
}

/** A card in this wallet. It stays until the student forgets it, whatever the network says. */
export interface WalletCard {
  /** Of this wallet only. */
  readonly id: string;
  readonly credentialIssuer: string;
  readonly cardUri: string;
  readonly facts: Facts;
  readonly look: Look;
  readonly photo: Blob | null;
  /** null: the institution takes no photo from students. */
  readonly ownPhoto: OwnPhoto | null;
  /** null: the institution does not ask for consent. */
  readonly consent: { readonly givenAt: number | null } | null;
  readonly codes: Readonly<Partial<Record<Profile, StaticCode>>>;
  /** Configurations held, for instance "EuropeanStudentCard". */
  readonly configurations: readonly string[];
  /** The student's identifier (ESI), where a credential on this phone names it. */
  readonly esi: string | null;
  readonly deviceName: string | null;
  /** When the service was last asked with success. */
  readonly updatedAt: number;
  /** Seconds that this phone's clock is ahead of the service's, as last seen. */
  readonly clockAhead: number;
  readonly endedAs: EndedAs | null;
  readonly notices: readonly Notice[];
}

/** An enrolment that was begun: it goes on from where it was. */
export interface Enrolment {
  readonly id: string;
  readonly credentialIssuer: string;
  readonly institutionName: string;
  /** "offer": the code is still to be given; "token": it was taken; "credentials": some came. */
  readonly step: "offer" | "token" | "credentials" | "done";
  /** Whether `goOn` needs the code that the student got by another way. */
  readonly needsTxCode: boolean;
  readonly txCodeLength: number | null;
  readonly startedAt: number;
}

export interface DeviceOfCard {
  readonly id: string;
  readonly name: string | null;
  readonly addedAt: number;
  readonly renewedAt: number | null;
  readonly isThis: boolean;
}

export type PassKind = "apple" | "google";

/** What can be had for other wallets, and what this phone took. */
export interface Passes {
  readonly offered: readonly PassKind[];
  readonly held: readonly PassKind[];
}

/** One showing of a card, remembered on this phone only. */
export interface Showing {
  readonly cardId: string;
  readonly profile: Profile | "answer";
  readonly at: number;
  /** Of an answer to a request: who asked, as the request said, and the claims that were told. */
  readonly told?: { readonly to: string; readonly claims: readonly string[] };
}

/** A provider's request for a presentation. Who asks is what the code says: nothing proves it. */
export interface AskedPresentation {
  /** The request's text, for `present`. */
  readonly request: string;
  readonly asker: string;
  /** The cards that can answer, in the wallet's order; at least one. */
  readonly answers: readonly PossibleAnswer[];
}

/** What a card would tell. */
export interface PossibleAnswer {
  readonly cardId: string;
  /** Names of claims, as in the credential, with what they say. */
  readonly claims: readonly { readonly name: string; readonly value: string }[];
  /** Names of claims that are asked for and that the card does not have. */
  readonly missing: readonly string[];
}

/** Why something could not be done; each has a sentence in every language. */
export type RefusalName =
  | "offer-malformed"
  | "offer-cut"
  | "offer-expired"
  | "offer-used"
  | "issuer-not-safe"
  | "issuer-unknown"
  | "tx-code-wrong"
  | "tx-code-dead"
  | "no-network"
  | "service-away"
  | "service-refused"
  | "bad-answer"
  | "card-not-active"
  | "device-ended"
  | "device-unknown"
  | "storage-full"
  | "storage-lost"
  | "busy-elsewhere"
  | "too-many"
  | "not-an-image"
  | "image-too-large"
  | "not-offered"
  | "request-malformed"
  | "request-newer"
  | "request-other-type"
  | "credential-over"
  | "presentation-too-large";

export class WalletRefusal extends Error {
  readonly refusal: RefusalName;
  readonly values: Readonly<Record<string, string | number>>;

  constructor(refusal: RefusalName, values: Readonly<Record<string, string | number>> = {}) {
    super(refusal);
    this.name = "WalletRefusal";
    this.refusal = refusal;
    this.values = values;
  }
}

/** What the screens may ask of the wallet (`keeping/wallet.ts` makes it). */
export interface Wallet {
  cards(): Promise<WalletCard[]>;
  unfinished(): Promise<Enrolment[]>;
  /** Called after every change, also of another tab or the service worker; returns how to stop. */
  watch(changed: () => void): () => void;

  /** Read an offer link or a scanned text; throws WalletRefusal. */
  beginEnrolment(offer: string): Promise<Enrolment>;
  /** Keep an offer's link for a page that is loaded anew, until it is begun, at most a day; null lets it be. */
  keepOffer(link: string | null): Promise<void>;
  /** The link that is kept; one that is too old is forgotten by asking. */
  keptOffer(): Promise<string | null>;
  /** Go on with it, to the card; the same enrolment may be called again after any failure. */
  goOn(enrolmentId: string, txCode: string | null): Promise<WalletCard>;
  abandon(enrolmentId: string): Promise<void>;

  /** The code to show now: E2 signed by this phone, or null when none may be shown. */
  liveCode(cardId: string, profile: Profile, challenge?: Uint8Array): Promise<string | null>;
  noteShowing(cardId: string, profile: Profile): Promise<void>;
  showings(): Promise<Showing[]>;

  /** Read a provider's request (docs/presentation-qr.md): which cards can answer, and what they would tell. */
  readRequest(text: string): Promise<AskedPresentation>;
  /**
   * Sign the answer, after the student agreed to these claims, and note it: the texts of the codes to
   * show one after the other, for at most 90 seconds.
   */
  present(cardId: string, request: string, agreed: readonly string[]): Promise<string[]>;
  deleteShowings(): Promise<void>;

  /** Ask the service; a failure changes nothing but throws. */
  refresh(cardId: string): Promise<WalletCard>;
  dismissNotices(cardId: string): Promise<void>;
  forget(cardId: string): Promise<{ readonly serviceKnows: boolean }>;

  devices(cardId: string): Promise<{ readonly atOnce: number; readonly devices: DeviceOfCard[] }>;
  endDevice(cardId: string, deviceId: string): Promise<void>;
  nameDevice(cardId: string, name: string): Promise<void>;
  consent(cardId: string): Promise<{ readonly givenAt: number | null; readonly shares: string[] }>;
  giveConsent(cardId: string): Promise<void>;
  withdrawConsent(cardId: string): Promise<void>;
  previewPhoto(cardId: string, file: Blob, crop?: Crop): Promise<Blob>;
  sendPhoto(cardId: string, file: Blob, crop?: Crop): Promise<void>;
  takeBackPhoto(cardId: string): Promise<void>;
  passes(cardId: string): Promise<Passes>;
  applePass(cardId: string): Promise<Blob>;
  googleSaveLink(cardId: string): Promise<string>;
  takeBackPass(cardId: string, kind: PassKind): Promise<void>;
  /** Web Push, where the service offers it and the student allowed it. */
  followByPush(cardId: string): Promise<boolean>;

  /**
   * Whether the browser promised to keep what is here, and whether it has lost cards that were here
   * (then the student takes them again with a new offer; `admitLoss` ends the question).
   */
  storage(): Promise<{ readonly persisted: boolean; readonly lost: boolean }>;
  admitLoss(): void;

  setting(name: string): Promise<string | null>;
  keepSetting(name: string, value: string | null): Promise<void>;
  /** The card with which the wallet opens next time; one that was deleted meanwhile leaves nothing. */
  keepLast(cardId: string): Promise<void>;
  lastCard(): Promise<string | null>;
}

/** Fractions of the picture's width and height. */
export interface Crop {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}
