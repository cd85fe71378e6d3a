/** Fetching a bundle and its changes: bounded in size and time, https except on this machine. */

import { MAX_BUNDLE_BYTES } from "../check/bundle.ts";
import { concat, type Bytes } from "../check/bytes.ts";
import { MAX_CHANGES_BYTES } from "../check/status_changes.ts";

const TIMEOUT = 20_000; // milliseconds

/** Nothing could be fetched; `key` names the sentence, what is stored stays. */
export class FetchError extends Error {
  readonly key: string;
  readonly values: Readonly<Record<string, string | number>>;

  constructor(key: string, values: Readonly<Record<string, string | number>> = {}) {
    super(key);
    this.name = "FetchError";
    this.key = key;
    this.values = values;
  }
}

/** Whether a bundle may be fetched from there. */
export function isUsableAddress(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname } = new URL(address);
  const isLoopback = hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
  return protocol === "https:" || (protocol === "http:" && isLoopback);
}

/**
 * Gets a bundle.
 *
 * With `no-cache` the browser itself asks whether its copy is still the newest (ETag,
 * If-None-Match): an unchanged bundle costs one small request, and no header of ours makes it ask
 * the server for permission first.
 */
export async function fetchBundle(address: string): Promise<Bytes> {
  if (!isUsableAddress(address)) throw new FetchError("reason_address");
  const response = await request(address);
  if (!response.ok) throw new FetchError("reason_answer", { status: response.status });
  return readCapped(response, MAX_BUNDLE_BYTES);
}

/** Gets the changes since a bundle (docs/status-delta.md, section 3); null where there are none. */
export async function fetchChanges(address: string): Promise<Bytes | null> {
  if (!isUsableAddress(address)) throw new FetchError("reason_address");
  const url = new URL(address);
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/changes`;
  const response = await request(url.href);
  return response.ok ? readCapped(response, MAX_CHANGES_BYTES) : null;
}

async function request(address: string): Promise<Response> {
  try {
    return await fetch(address, {
      cache: "no-cache",
      credentials: "omit",
      redirect: "error",
      referrerPolicy: "no-referrer",
      signal: AbortSignal.timeout(TIMEOUT),
    });
  } catch {
    throw new FetchError("reason_network");
  }
}

async function readCapped(response: Response, most: number): Promise<Bytes> {
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = response.body?.getReader();
  try {
    for (let read = await reader?.read(); read?.value !== undefined; read = await reader?.read()) {
      size += read.value.length;
      if (size > most) break;
      parts.push(read.value);
    }
  } catch {
    throw new FetchError("reason_network");
  }
  if (size <= most) return concat(...parts);
  await reader?.cancel();
  throw new FetchError("reason_too_large");
}
