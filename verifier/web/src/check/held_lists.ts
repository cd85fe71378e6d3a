/**
 * Status lists that are held by address, verified, or packed until they are first asked for; and newer
 * ones and deltas taken in their place. The newest stays, whatever comes later: an old list or delta
 * brings no revoked card back.
 */

import { CardError } from "./errors.ts";
import { verifiesJws } from "./jws.ts";
import type { PublicKey } from "./p256.ts";
import { findSigner, verifySignedStatus, type Owners, type SignedStatus } from "./status_list_trust.ts";
import { parseStatusListToken, type StatusListToken } from "./status.ts";
import { amend, parseStatusDelta, type StatusDelta } from "./status_delta.ts";

const MAX_UNPACKED_BYTES = 8 * 1024 * 1024; // of entries at a time; one list may have more

/** A list whose form, signer and time are checked; its signature and its entries are not. */
export interface PackedList {
  readonly uri: string;
  readonly issuedAt: number; // with its deltas
  readonly text: string;
  readonly key: PublicKey; // that must have signed it
  readonly deltas: readonly PackedDelta[]; // in the order of their time
}

/** A delta of such a list, likewise. */
export interface PackedDelta {
  readonly delta: StatusDelta;
  readonly key: PublicKey;
}

/** All that are known; of those that are packed, one that fails is as one that is not there. */
export class StatusLists {
  readonly #verified: ReadonlyMap<string, StatusListToken>;
  readonly #packed: ReadonlyMap<string, PackedList>;
  readonly #opened = new Map<string, StatusListToken>(); // of the packed ones, the last used last

  constructor(
    verified: ReadonlyMap<string, StatusListToken>,
    packed: ReadonlyMap<string, PackedList> = new Map(),
  ) {
    this.#verified = verified;
    this.#packed = packed;
  }

  get size(): number {
    return this.#all.size;
  }

  /** As of when each is known, as it says itself. */
  get instants(): ReadonlyMap<string, number> {
    return new Map([...this.#all].map(([uri, { issuedAt }]) => [uri, issuedAt]));
  }

  /** What is stored of them: also what was not asked for. */
  get texts(): { readonly lists: string[]; readonly deltas: string[] } {
    const all = [...this.#all.values()];
    const deltas = all.flatMap((one) => ("deltas" in one ? one.deltas.map(({ delta }) => delta) : one.delta));
    return {
      lists: all.map(({ text }) => text),
      deltas: deltas.flatMap((delta) => (delta === null ? [] : [delta.text])),
    };
  }

  /** A list, verified. */
  async find(uri: string): Promise<StatusListToken | undefined> {
    const packed = this.#packed.get(uri);
    if (this.#verified.has(uri) || packed === undefined) return this.#verified.get(uri);
    const opened = this.#opened.get(uri);
    const token = opened ?? (await openList(packed));
    if (token === undefined) return undefined;
    this.#opened.delete(uri);
    this.#opened.set(uri, token);
    if (opened === undefined) this.#makeRoom();
    return token;
  }

  /** These lists, and others in the place of those with the same address. */
  with(newer: ReadonlyMap<string, StatusListToken>): StatusLists {
    return new StatusLists(new Map([...this.#verified, ...newer]), this.#packed);
  }

  get #all(): ReadonlyMap<string, StatusListToken | PackedList> {
    return new Map<string, StatusListToken | PackedList>([...this.#packed, ...this.#verified]);
  }

  #makeRoom(): void {
    let size = [...this.#opened.values()].reduce((sum, token) => sum + sizeOf(token), 0);
    for (const [uri, token] of this.#opened) {
      if (size <= MAX_UNPACKED_BYTES || this.#opened.size === 1) return;
      this.#opened.delete(uri);
      size -= sizeOf(token);
    }
  }
}

/** Takes what was known before where it is newer and the new trust list still lets its signer sign. */
export async function keepNewer(
  previous: StatusLists,
  lists: Map<string, StatusListToken>,
  owners: Owners,
): Promise<void> {
  for (const [uri, issuedAt] of previous.instants) {
    if (issuedAt <= (lists.get(uri)?.issuedAt ?? -1)) continue;
    const known = await previous.find(uri);
    const kept = known === undefined ? null : stillTrusted(known, owners);
    if (kept !== null && kept.issuedAt > (lists.get(uri)?.issuedAt ?? -1)) lists.set(uri, kept);
  }
}

function stillTrusted(token: StatusListToken, owners: Owners): StatusListToken | null {
  const base = token.base ?? token;
  if (!maySpeak(base, owners)) return null;
  return token.delta && maySpeak(token.delta, owners) ? token : base;
}

/** A status list whose signature fits. */
export async function verifyStatusList(text: string, owners: Owners, now: number): Promise<StatusListToken> {
  const token = parseStatusListToken(text);
  await verifySignedStatus(token, owners, now);
  return token;
}

/** Takes a verified list, unless a newer one is held. */
export function holdStatusList(token: StatusListToken, known: Map<string, StatusListToken>): void {
  const before = known.get(token.uri);
  if (before === undefined || before.issuedAt <= token.issuedAt) known.set(token.uri, token);
}

/** A list as of a delta, unless the one that is held is newer. */
export async function takeStatusDelta(
  text: string,
  find: (uri: string) => Promise<StatusListToken | undefined>,
  owners: Owners,
  now: number,
): Promise<StatusListToken> {
  const delta = parseStatusDelta(text);
  await verifySignedStatus(delta, owners, now);
  return amend(await find(delta.uri), delta);
}

function maySpeak(signed: SignedStatus, owners: Owners): boolean {
  try {
    findSigner(signed, owners);
    return true;
  } catch (error) {
    if (error instanceof CardError) return false;
    throw error;
  }
}

async function openList({ text, key, deltas }: PackedList): Promise<StatusListToken | undefined> {
  try {
    let token = parseStatusListToken(text);
    if (!(await verifiesJws(token.jws, key))) return undefined;
    for (const one of deltas) token = await amended(token, one);
    return token;
  } catch (error) {
    if (error instanceof CardError) return undefined;
    throw error;
  }
}

/** The list as of a delta; one that does not fit leaves it as it was, as of then. */
async function amended(token: StatusListToken, { delta, key }: PackedDelta): Promise<StatusListToken> {
  try {
    return (await verifiesJws(delta.jws, key)) ? await amend(token, delta) : token;
  } catch (error) {
    if (error instanceof CardError) return token;
    throw error;
  }
}

function sizeOf({ entries, base }: StatusListToken): number {
  return entries.data.length + (base === null ? 0 : base.entries.data.length);
}
