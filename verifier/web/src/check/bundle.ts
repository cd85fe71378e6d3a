/**
 * The offline bundle: all that a verifier needs to know, in one file (docs/offline-bundle.md).
 *
 * The bundle itself is not signed: each part is, or is pinned by the trust list. A part that cannot
 * be trusted is left out and named in `problems`: its cards are then refused as `StatusUnknown`.
 */

import { encodeUtf8, sha256, type Bytes } from "./bytes.ts";
import { CardError, refuse, refusingAs } from "./errors.ts";
import { holdStatusList, keepNewer, StatusLists, takeStatusDelta, verifyStatusList } from "./held_lists.ts";
import { integerOf, isJsonArray, isJsonObject, parseJsonObject, type Json } from "./json.ts";
import { ownersOf } from "./status_list_trust.ts";
import type { StatusListToken } from "./status.ts";
import { verifyTrustList, type Expected } from "./trust.ts";
import type { TrustedInstitution, TrustList } from "./trust_document.ts";
import { unpackGzip } from "./unpacking.ts";

const BUNDLE_VERSION = 1;
export const MAX_BUNDLE_BYTES = 16 * 1024 * 1024; // as carried; all of Europe's cards take about 2 MB
const MAX_UNPACKED_BYTES = 64 * 1024 * 1024;
const MAX_STATUS_LISTS = 20_000;
const AT_ONCE = 32; // signatures that the browser's own threads work at

/** The parts of a bundle, as they came: nothing of them is checked. */
export interface BundleParts {
  readonly trustList: string;
  readonly statusLists: readonly string[];
  readonly typeMetadata: ReadonlyMap<string, string>;
  readonly statusDeltas?: readonly string[]; // missing in what was stored before there were any
}

/** What a verifier knows: the checked content of a bundle. */
export interface Knowledge {
  readonly trust: TrustList;
  readonly statusLists: StatusLists;
  readonly typeMetadata: ReadonlyMap<string, string>; // by vct; the text that the trust list pins
  readonly problems: readonly string[]; // parts left out, in words
}

/** What binds the next bundle. */
export interface ExpectedBundle extends Expected {
  // Of a status list the newer is kept, so that an old bundle brings no revoked card back.
  readonly previous?: Knowledge | undefined;
}

/** Checks a bundle and takes what can be trusted of it; without a trust list, nothing. */
export async function verifyBundle(data: Bytes, expected: ExpectedBundle): Promise<Knowledge> {
  const parts = unpackBundle(data);
  const trust = await verifyTrustList(parts.trustList, expected);
  const problems: string[] = [];
  const owners = ownersOf(trust);
  const statusLists = new Map<string, StatusListToken>();
  for (let at = 0; at < parts.statusLists.length; at += AT_ONCE) {
    const texts = parts.statusLists.slice(at, at + AT_ONCE);
    const verified = await Promise.allSettled(
      texts.map((text) => verifyStatusList(text, owners, expected.now)),
    );
    // Held in the order of the bundle, whichever was verified first.
    for (const outcome of verified) {
      if (outcome.status === "fulfilled") holdStatusList(outcome.value, statusLists);
      else if (!(outcome.reason instanceof CardError)) throw outcome.reason;
      else problems.push(`a status list is left out: ${outcome.reason.message}`);
    }
  }
  if (expected.previous !== undefined) await keepNewer(expected.previous.statusLists, statusLists, owners);
  const find = (uri: string) => Promise.resolve(statusLists.get(uri));
  for (const text of parts.statusDeltas ?? []) {
    try {
      const token = await takeStatusDelta(text, find, owners, expected.now);
      statusLists.set(token.uri, token);
    } catch (error) {
      if (!(error instanceof CardError)) throw error;
      // The list that came with it, or was known, is newer.
      if (error.refusal !== "DocumentRolledBack") problems.push(`a delta is left out: ${error.message}`);
    }
  }
  const typeMetadata = await takeTypeMetadata(parts.typeMetadata, trust, problems);
  return { trust, statusLists: new StatusLists(statusLists), typeMetadata, problems };
}

/** The parts of what is known, to be stored: also what was kept of an earlier bundle. */
export function partsOf(knowledge: Knowledge): BundleParts {
  const { trust, statusLists, typeMetadata } = knowledge;
  const { lists, deltas } = statusLists.texts;
  return { trustList: trust.token, statusLists: lists, typeMetadata, statusDeltas: deltas };
}

/** An institution's list by its number, if it is known. */
export async function statusListOf(
  knowledge: Knowledge,
  institution: TrustedInstitution,
  number: number,
): Promise<StatusListToken | undefined> {
  const uri = institution.statusLists.get(number);
  return uri === undefined ? undefined : knowledge.statusLists.find(uri);
}

/** The W3C SRI value (SHA-256) of a document's bytes, as `vct#integrity` holds it. */
export async function integrityOf(data: Bytes): Promise<string> {
  const digest = await sha256(data);
  return `sha256-${btoa(String.fromCharCode(...digest))}`;
}

/** Unpacks a bundle's file: `MalformedDocument`, or `DocumentTooLarge`. */
function unpackBundle(data: Bytes): BundleParts {
  if (data.length > MAX_BUNDLE_BYTES) refuse("DocumentTooLarge", "a bundle of more than 16 MiB");
  const text = unpackGzip(data, MAX_UNPACKED_BYTES);
  const body = refusingAs("MalformedDocument", "not a bundle", () => parseJsonObject(text));
  const trustList = body.get("trust_list");
  if (integerOf(body.get("version")) !== BUNDLE_VERSION || typeof trustList !== "string") {
    return refuse("MalformedDocument", "not a bundle of a version that is known here");
  }
  const [lists, types] = [body.get("status_lists"), body.get("type_metadata")];
  if (!isJsonArray(lists) || !isJsonObject(types)) {
    return refuse("MalformedDocument", "a bundle has status_lists and type_metadata");
  }
  if (lists.length > MAX_STATUS_LISTS) refuse("DocumentTooLarge", "more than 20,000 status lists");
  const typeTexts = [...types].map(([vct, value]): [string, string] => [vct, textOf(value)]);
  const statusDeltas = body.has("status_deltas") ? deltasOf(body.get("status_deltas")) : [];
  return { trustList, statusLists: lists.map(textOf), typeMetadata: new Map(typeTexts), statusDeltas };
}

/** The deltas that a document carries, as they are. */
export function deltasOf(deltas: Json | undefined): readonly string[] {
  if (!isJsonArray(deltas)) return refuse("MalformedDocument", "status_deltas is an array");
  const texts = deltas.map(textOf);
  if (texts.length > MAX_STATUS_LISTS) refuse("DocumentTooLarge", "more than 20,000 deltas");
  return texts;
}

function textOf(value: Json): string {
  return typeof value === "string" ? value : refuse("MalformedDocument", "the parts of a bundle are texts");
}

/** Of the types' metadata what the trust list pins. */
export async function takeTypeMetadata(
  types: ReadonlyMap<string, string>,
  trust: TrustList,
  problems: string[],
): Promise<Map<string, string>> {
  const taken = new Map<string, string>();
  for (const [vct, text] of types) {
    // A lone surrogate has no UTF-8, so nothing can pin it.
    const isText = !/[\ud800-\udfff]/u.test(text);
    if (isText && trust.typeIntegrity.get(vct) === (await integrityOf(encodeUtf8(text))))
      taken.set(vct, text);
    else problems.push("a type's metadata is left out: it is not the one in the trust list");
  }
  return taken;
}
