/**
 * A presentation in several QR codes, shown one after the other (docs/presentation-qr.md, section 3).
 *
 * Nothing here is verified but that all parts are of one presentation: what is joined goes to
 * `verify_sd_jwt_vc.ts`.
 */

import { decodeBase32, encodeBase32 } from "./base32.ts";
import { bytesToHex, concat, isBytes, isLongerThan, sha256, startsWith, trimAround, type Bytes } from "./bytes.ts"; // prettier-ignore
import { encodeBytes, isCborArray, readCbor } from "./cbor.ts";
import { refuse, refusingAs } from "./errors.ts";
import { b64urlDecode, b64urlEncode } from "./jws.ts";

const MARK = "ESCP";
const VERSION = "1";
const BAD = "MalformedPresentation";
const MAX_PART_CHARS = 850;
const MAX_PARTS = 16;
const MAX_PART_BYTES = 512;
const MAX_WHOLE_BYTES = MAX_PARTS * MAX_PART_BYTES;
const USUAL_PART_BYTES = 300; // a QR code of version 12 at level L
export const KEPT_FOR = 120; // seconds, from the first part on
const DIGEST_BYTES = 10;
const [LEAST_PIECES, MOST_PIECES] = [6, 70]; // two JWS of three, and 64 disclosures
const FORM = /^([1-9][0-9]?)\/([1-9][0-9]?)\/([A-Z2-7]{16})\/([A-Z2-7]+)$/;

/** One code taken apart. */
export interface Part {
  readonly index: number; // from 1 to `total`
  readonly total: number;
  readonly digest: Bytes; // the beginning of the SHA-256 of the whole
  readonly data: Bytes;
}

/** Whether a text is meant as a part of a presentation, of whatever version. */
export function isPart(text: string): boolean {
  return trimAround(text).startsWith(MARK);
}

/** The texts of the codes that show an SD-JWT with key binding. */
export async function splitPresentation(
  presentation: string,
  partBytes = USUAL_PART_BYTES,
): Promise<string[]> {
  const whole = pack(presentation);
  const total = Math.ceil(whole.length / partBytes);
  if (whole.length > MAX_WHOLE_BYTES || total > MAX_PARTS || partBytes > MAX_PART_BYTES) {
    refuse(BAD, "a presentation that does not fit in 16 parts");
  }
  const size = Math.ceil(whole.length / total); // parts of equal size make codes of equal size
  const digest = encodeBase32(await digestOf(whole));
  return Array.from({ length: Math.ceil(whole.length / size) }, (_, i) => {
    const data = encodeBase32(whole.subarray(i * size, (i + 1) * size));
    return `${MARK}${VERSION}/${i + 1}/${total}/${digest}/${data}`;
  });
}

/** Takes one code's text apart: `NotACard`, `UnknownVersion`, `MalformedPresentation`. */
export function parsePart(whole: string): Part {
  if (!isPart(whole)) refuse("NotACard", "not a part of a presentation");
  if (isLongerThan(whole, MAX_PART_CHARS)) refuse(BAD, "a part of more than 850 characters");
  const text = trimAround(whole);
  const beginning = `${MARK}${VERSION}/`;
  if (!text.startsWith(beginning)) refuse("UnknownVersion", "a part of a version that is not known here");
  const [, index = "", total = "", digest = "", encoded = ""] = FORM.exec(text.slice(beginning.length)) ?? [];
  if (encoded === "") refuse(BAD, "not <index>/<total>/<digest>/<base32>");
  const data = refusingAs(BAD, "not base32", () => decodeBase32(encoded));
  if (Number(index) > Number(total) || Number(total) > MAX_PARTS) refuse(BAD, "an index that no part has");
  if (data.length < 1 || data.length > MAX_PART_BYTES) refuse(BAD, "a size that no part has");
  return { index: Number(index), total: Number(total), digest: decodeBase32(digest), data };
}

/** The presentation whose parts these are, in any order, some perhaps twice. */
export async function joinParts(texts: Iterable<string>): Promise<string> {
  const parts = new PartCollector();
  for (const text of texts) {
    const part = parsePart(text);
    if (parts.total > 0 && !parts.isOfSame(part)) refuse(BAD, "parts of several presentations");
    parts.add(part, 0);
  }
  return parts.presentation();
}

/** Takes parts as a scanner sees them, until a presentation is whole. */
export class PartCollector {
  #parts = new Map<number, Part>();
  #since = 0;

  get count(): number {
    return this.#parts.size;
  }

  /** Of how many; 0 before the first. */
  get total(): number {
    return this.#first?.total ?? 0;
  }

  get isComplete(): boolean {
    return this.count > 0 && this.count === this.total;
  }

  /** The indices of the parts that are not there. */
  get missing(): number[] {
    return Array.from({ length: this.total }, (_, i) => i + 1).filter((index) => !this.#parts.has(index));
  }

  /** Whether a part is one of the presentation that was begun. */
  isOfSame(part: Part): boolean {
    const first = this.#first;
    return first?.total === part.total && bytesToHex(first.digest) === bytesToHex(part.digest);
  }

  forget(): void {
    this.#parts = new Map();
  }

  /** Takes one more part; one of another presentation, or after two minutes, begins anew. */
  add(part: Part, now: number): void {
    const isInTime = now >= this.#since && now - this.#since <= KEPT_FOR;
    if (!this.isOfSame(part) || !isInTime) [this.#parts, this.#since] = [new Map<number, Part>(), now];
    const before = this.#parts.get(part.index);
    this.#parts.set(part.index, part);
    if (before === undefined || bytesToHex(before.data) === bytesToHex(part.data)) return;
    this.forget();
    refuse(BAD, "two parts for one place");
  }

  /** What the parts make; the collector is empty then. */
  async presentation(): Promise<string> {
    if (!this.isComplete) refuse("IncompletePresentation", `${this.count} of ${this.total} parts`);
    const parts = [...this.#parts.values()].sort((a, b) => a.index - b.index);
    this.forget();
    const whole = concat(...parts.map(({ data }) => data));
    if (!startsWith(await sha256(whole), parts[0]?.digest ?? whole)) {
      refuse(BAD, "the parts do not make what they say");
    }
    return unpack(whole);
  }

  get #first(): Part | undefined {
    return this.#parts.values().next().value;
  }
}

async function digestOf(whole: Bytes): Promise<Bytes> {
  return (await sha256(whole)).slice(0, DIGEST_BYTES);
}

function pack(presentation: string): Bytes {
  const [issuerJws = "", ...disclosures] = presentation.split("~");
  const binding = disclosures.pop() ?? "";
  const texts = [...issuerJws.split("."), ...disclosures, ...binding.split(".")];
  const pieces = refusingAs(BAD, "not a presentation", () => texts.map(b64urlDecode));
  const head = pieces.length < 24 ? [0x80 | pieces.length] : [0x98, pieces.length & 0xff];
  const whole = concat(Uint8Array.from(head), ...pieces.map(encodeBytes));
  if (unpack(whole) !== presentation) refuse(BAD, "not a presentation with key binding");
  return whole;
}

function unpack(whole: Bytes): string {
  const pieces = refusingAs(BAD, "not CBOR of this format", () => readCbor(whole));
  if (!isCborArray(pieces) || pieces.length < LEAST_PIECES || pieces.length > MOST_PIECES) {
    return refuse(BAD, "not 6 to 70 byte strings");
  }
  const texts = pieces.map((piece) =>
    isBytes(piece) && piece.length > 0 ? b64urlEncode(piece) : refuse(BAD, "a piece that is no byte string"),
  );
  return [texts.slice(0, 3).join("."), ...texts.slice(3, -3), texts.slice(-3).join(".")].join("~");
}
