/** What is kept, as it lies in IndexedDB. */

import type { Credential } from "../protocol/credentials.ts";
import type { DeviceAccess } from "../protocol/device_api.ts";
import type { TxCode } from "../protocol/offers.ts";
import type { PublicJwk } from "../codes/device_key.ts";
import type { EndedAs, Facts, Notice, OwnPhoto, Showing } from "../model.ts";

export interface CardRecord {
  readonly id: string;
  readonly credentialIssuer: string;
  /** Milliseconds: cards stand in the order in which they came. */
  readonly addedAt: number;
  /** By configuration. */
  readonly credentials: Readonly<Record<string, Credential>>;
  /** An issuer of other cards has no device API. */
  readonly device: DeviceAccess | null;
  readonly facts: Facts;
  readonly look: { readonly backgroundColor: string; readonly textColor: string };
  readonly logo: PictureAddress | null;
  readonly photo: PictureAddress | null;
  readonly ownPhoto: OwnPhoto | null;
  readonly consent: { readonly givenAt: number | null } | null;
  readonly deviceName: string | null;
  readonly updatedAt: number;
  readonly clockAhead: number;
  readonly etag: string | null;
  /** A renewal that was begun: until its answer has come, the old credentials may be over. */
  readonly renewal: RenewalRecord | null;
  readonly endedAs: EndedAs | null;
  readonly notices: readonly Notice[];
}

/** Where a picture is, and what it is when it was fetched. */
export interface PictureAddress {
  readonly uri: string;
  readonly version: string;
}

export interface RenewalRecord {
  readonly address: string;
  readonly configurationIds: readonly string[] | null;
}

/** The bytes of a picture: browsers keep these where they may lose a Blob. */
export interface PictureRecord {
  readonly version: string;
  readonly type: string;
  readonly data: ArrayBuffer;
}

export type PictureKind = "logo" | "photo";

export interface KeyRecord {
  readonly privateKey: CryptoKey;
  readonly publicJwk: PublicJwk;
  readonly compressed: Uint8Array<ArrayBuffer>;
}

/** An offer that is not taken to its end: what a retry needs to go on. */
export interface EnrolmentRecord {
  readonly id: string;
  readonly link: string;
  /** Its JSON: an offer by reference may be gone at the retry. */
  readonly offer: string;
  readonly credentialIssuer: string;
  readonly institutionName: string;
  readonly txCode: TxCode | null;
  readonly wrongTries: number;
  /** The same in every repetition of the token request, so that a lost answer can be asked for again. */
  readonly idempotencyKey: string;
  readonly accessToken: string | null;
  readonly identifiers: Readonly<Record<string, string>>;
  readonly credentials: Readonly<Record<string, Credential>>;
  readonly device: DeviceAccess | null;
  readonly startedAt: number;
}

export type ShowingRecord = Showing;
