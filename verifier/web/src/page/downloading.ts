/**
 * Getting a bundle, going on where a download was cut (docs/offline-bundle.md, section 5).
 *
 * A part is taken only as the rest of what is kept: of the same version, from the byte after its last
 * to the end. When all is there, its digest must be the one that the server told.
 */

import { MAX_BUNDLE_BYTES } from "../check/bundle.ts";
import { concat, sha256, type Bytes } from "../check/bytes.ts";
import type { Database } from "./database.ts";
import { ask, FetchError, type Answer } from "./fetching.ts";
import { isSameVersion, PartialDownload, versionOf, type Part, type Version } from "./partial_download.ts";

const ATTEMPTS = 4; // at one call, each of which has to bring something

/** What came does not go on from what is kept, or is not what the server says that it is. */
class UnusablePart extends FetchError {
  constructor() {
    super("reason_broken");
  }
}

/** Gets a bundle for a list, whole; what came of it is kept when it is cut. */
export async function downloadBundle(address: string, database: Database, name: string): Promise<Bytes> {
  const options = { ifAvailable: true }; // another window that downloads has the parts
  return navigator.locks.request(`esc-part-${name}`, options, async (lock) => {
    return download(address, lock === null ? null : new PartialDownload(database, name));
  });
}

/** Forgets what came of a list's bundle. */
export async function forgetParts(database: Database, name: string): Promise<void> {
  await new PartialDownload(database, name).forget();
}

async function download(address: string, partial: PartialDownload | null): Promise<Bytes> {
  for (let attempt = 1; attempt < ATTEMPTS; attempt += 1) {
    const kept = await keptOf(address, partial);
    try {
      return await attemptFrom(address, partial, kept);
    } catch (error) {
      if (!(await mayGoOn(error, address, partial, kept))) throw error;
    }
  }
  return attemptFrom(address, partial, await keptOf(address, partial));
}

/** From what came now, or from the beginning when what was kept is of no use. */
async function mayGoOn(
  error: unknown,
  address: string,
  partial: PartialDownload | null,
  before: Part | null,
): Promise<boolean> {
  if (error instanceof UnusablePart) {
    await partial?.forget();
    return before !== null;
  }
  const now = await keptOf(address, partial);
  return error instanceof FetchError && (now?.data.length ?? 0) > (before?.data.length ?? 0);
}

async function keptOf(address: string, partial: PartialDownload | null): Promise<Part | null> {
  return partial === null ? null : partial.read(address);
}

async function attemptFrom(
  address: string,
  partial: PartialDownload | null,
  kept: Part | null,
): Promise<Bytes> {
  const answer = await askFrom(address, kept);
  const { version, begun } = await beginWith(answer, address, kept);
  if (begun === null) partial?.begin(version);
  const pieces = await readOn(answer, partial);
  const data = begun === null ? concat(...pieces) : concat(begun, ...pieces);
  await partial?.forget();
  if (version !== null && base64Of(await sha256(data)) !== version.sha256) throw new UnusablePart();
  return data;
}

/** Where parts are not to be had, all of it: a server may not let pages of other origins ask for them. */
async function askFrom(address: string, kept: Part | null): Promise<Answer> {
  const whole = { most: MAX_BUNDLE_BYTES };
  if (kept === null) return ask(address, whole);
  try {
    return await ask(address, { ...whole, from: kept.data.length });
  } catch (error) {
    if (!(error instanceof FetchError)) throw error;
    return ask(address, whole);
  }
}

/** Which version comes, and what there is of it already; null where it comes from its beginning. */
async function beginWith(
  { response, pieces }: Answer,
  address: string,
  kept: Part | null,
): Promise<{ readonly version: Version | null; readonly begun: Bytes | null }> {
  const version = versionOf(address, response.headers);
  if (response.status === 200) return { version, begun: null };
  if (kept !== null && response.status === 206 && goesOn(response.headers, kept, version)) {
    return { version, begun: kept.data };
  }
  await pieces.return();
  if (kept !== null && (response.status === 206 || response.status === 416)) throw new UnusablePart();
  throw new FetchError("reason_answer", { status: response.status });
}

function goesOn(headers: Headers, kept: Part, version: Version | null): boolean {
  const found = /^bytes (\d{1,9})-(\d{1,9})\/(\d{1,9})$/.exec(headers.get("content-range") ?? "");
  const [first, last, size] = (found ?? []).slice(1).map(Number);
  if (first === undefined || last === undefined || size === undefined) return false;
  const isRest = first === kept.data.length && last === size - 1 && size <= MAX_BUNDLE_BYTES;
  return isRest && isSameVersion(version, kept.version);
}

async function readOn({ pieces }: Answer, partial: PartialDownload | null): Promise<Bytes[]> {
  const found = [];
  try {
    for await (const piece of pieces) {
      found.push(piece);
      partial?.append(piece);
    }
  } catch (error) {
    if (error instanceof FetchError && error.key === "reason_too_large") await partial?.forget();
    else await partial?.flush();
    throw error;
  }
  return found;
}

function base64Of(data: Bytes): string {
  return btoa(String.fromCharCode(...data));
}
