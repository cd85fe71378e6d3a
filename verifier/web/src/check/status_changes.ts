/**
 * All deltas since a bundle in one document, and what of them a verifier can take
 * (docs/status-delta.md, section 3). It can only make what is known newer, and say that the whole
 * bundle is needed.
 */

import { deltasOf, type Knowledge } from "./bundle.ts";
import type { Bytes } from "./bytes.ts";
import { CardError, refuse, refusingAs } from "./errors.ts";
import { takeStatusDelta } from "./held_lists.ts";
import { integerOf, parseJsonObject } from "./json.ts";
import { ownersOf } from "./status_list_trust.ts";
import type { StatusListToken } from "./status.ts";
import { parseInstant } from "./status_delta.ts";
import { unpackGzip } from "./unpacking.ts";

const CHANGES_VERSION = 1;
export const MAX_CHANGES_BYTES = 4 * 1024 * 1024; // as carried
const MAX_UNPACKED_BYTES = 16 * 1024 * 1024;

/** The content of the document, unchecked. */
export interface StatusChanges {
  readonly sequence: number; // of the trust list that is published
  readonly since: number; // each list that changed later has its newest delta here
  readonly deltas: readonly string[];
}

/** What is known with the changes. */
export interface TakenChanges {
  readonly knowledge: Knowledge;
  readonly taken: ReadonlyMap<string, number>; // address of each list that is newer, and as of when
  readonly isEnough: boolean; // nothing is known to be missing; otherwise the bundle is needed
}

/** Reads the document: `MalformedDocument`, or `DocumentTooLarge`. */
export function parseChanges(data: Bytes): StatusChanges {
  if (data.length > MAX_CHANGES_BYTES) refuse("DocumentTooLarge", "changes of more than 4 MiB");
  const text = unpackGzip(data, MAX_UNPACKED_BYTES);
  const body = refusingAs("MalformedDocument", "no document of changes", () => parseJsonObject(text));
  const [version, sequence] = [integerOf(body.get("version")), integerOf(body.get("sequence"))];
  if (version !== CHANGES_VERSION || sequence === null || sequence < 1) {
    return refuse("MalformedDocument", "not changes of a version that is known here");
  }
  const deltas = deltasOf(body.get("status_deltas"));
  return { sequence, since: parseInstant(body.get("since")), deltas };
}

/** Checks the deltas against what is known, which stays as it is. */
export async function takeChanges(
  changes: StatusChanges,
  knowledge: Knowledge,
  now: number,
): Promise<TakenChanges> {
  const { trust } = knowledge;
  const [owners, amended] = [ownersOf(trust), new Map<string, StatusListToken>()];
  const known = new Set(knowledge.statusLists.texts.deltas);
  const find = async (uri: string) => amended.get(uri) ?? knowledge.statusLists.find(uri);
  let isEnough = changes.sequence <= trust.sequence && changes.since <= newestInstantOf(knowledge);
  for (const text of changes.deltas.filter((one) => !known.has(one))) {
    try {
      const token = await takeStatusDelta(text, find, owners, now);
      amended.set(token.uri, token);
    } catch (error) {
      if (!(error instanceof CardError)) throw error;
      isEnough &&= error.refusal === "DocumentRolledBack";
    }
  }
  const newer = new Map<string, StatusListToken>();
  for (const [uri, token] of amended) {
    if (isNewer(token, await knowledge.statusLists.find(uri))) newer.set(uri, token);
  }
  const taken = new Map([...newer].map(([uri, token]) => [uri, token.issuedAt]));
  const statusLists = knowledge.statusLists.with(newer);
  return { knowledge: { ...knowledge, statusLists }, taken, isEnough };
}

function isNewer(token: StatusListToken, before: StatusListToken | undefined): boolean {
  if (before === undefined || token.issuedAt > before.issuedAt) return true;
  const [after, data] = [token.entries.data, before.entries.data];
  return after !== data && after.some((byte, at) => byte !== data[at]);
}

/** When the newest part of what is known was signed. */
function newestInstantOf({ trust, statusLists }: Knowledge): number {
  return [...statusLists.instants.values()].reduce((a, b) => Math.max(a, b), trust.issuedAt);
}
