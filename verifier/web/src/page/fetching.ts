/** Asking for a document: bounded in size and patience, https except on this machine. */

import { concat, type Bytes } from "../check/bytes.ts";
import { MAX_CHANGES_BYTES } from "../check/status_changes.ts";

const PATIENCE = 20_000; // milliseconds without a byte: a slow line may take as long as it needs

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

/** What a server answered: its head, and its body piece by piece. */
export interface Answer {
  readonly response: Response;
  readonly pieces: AsyncGenerator<Bytes, void, undefined>;
}

/** Whether a bundle may be fetched from there. */
export function isUsableAddress(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname } = new URL(address);
  const isLoopback = hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
  return protocol === "https:" || (protocol === "http:" && isLoopback);
}

/** Gets the changes since a bundle (docs/status-delta.md, section 3); null where there are none. */
export async function fetchChanges(address: string): Promise<Bytes | null> {
  if (!isUsableAddress(address)) throw new FetchError("reason_address");
  const url = new URL(address);
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/changes`;
  const { response, pieces } = await ask(url.href, { most: MAX_CHANGES_BYTES });
  if (response.ok) return concat(...(await all(pieces)));
  await pieces.return();
  return null;
}

/**
 * Asks for a document, or for its bytes from one on.
 *
 * With `no-cache` the browser itself asks whether its copy is still the newest (ETag,
 * If-None-Match): an unchanged bundle costs one small request. No header makes the browser ask the
 * server for permission first: a simple Range needs none (Fetch, section 2.2.2).
 */
export async function ask(
  address: string,
  { most, from }: { readonly most: number; readonly from?: number },
): Promise<Answer> {
  if (!isUsableAddress(address)) throw new FetchError("reason_address");
  const patience = new Patience();
  try {
    const response = await fetch(address, {
      cache: from === undefined ? "no-cache" : "no-store",
      headers: from === undefined ? {} : { range: `bytes=${from}-` },
      credentials: "omit",
      redirect: "error",
      referrerPolicy: "no-referrer",
      signal: patience.signal,
    });
    return { response, pieces: piecesOf(response, most - (from ?? 0), patience) };
  } catch {
    patience.end();
    throw new FetchError("reason_network");
  }
}

/** Throws when the connection is cut, after what came, and when more comes than there may. */
async function* piecesOf(
  response: Response,
  most: number,
  patience: Patience,
): AsyncGenerator<Bytes, void, undefined> {
  const reader = response.body?.getReader();
  let size = 0;
  try {
    for (;;) {
      const piece = await readFrom(reader);
      if (piece === undefined) return;
      patience.begin();
      size += piece.length;
      if (size > most) throw new FetchError("reason_too_large");
      yield piece;
    }
  } finally {
    patience.end();
    await reader?.cancel().catch(() => undefined); // of a cut connection there is nothing to cancel
  }
}

async function readFrom(reader: ReadableStreamDefaultReader<Bytes> | undefined): Promise<Bytes | undefined> {
  try {
    return (await reader?.read())?.value;
  } catch {
    throw new FetchError("reason_network");
  }
}

async function all(pieces: AsyncIterable<Bytes>): Promise<Bytes[]> {
  const found = [];
  for await (const piece of pieces) found.push(piece);
  return found;
}

/** Gives a connection up on which nothing comes any more. */
class Patience {
  readonly #controller = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.begin();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  begin(): void {
    this.end();
    this.#timer = setTimeout(() => {
      this.#controller.abort();
    }, PATIENCE);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
