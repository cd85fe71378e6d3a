/** zlib (RFC 1950) and gzip (RFC 1952): whole, checksums right, nothing after them. */

import type { Bytes } from "./bytes.ts";
import { refuse } from "./errors.ts";
import { inflate } from "./inflate.ts";

const [FHCRC, FEXTRA, FNAME, FCOMMENT, RESERVED] = [2, 4, 8, 16, 0xe0]; // RFC 1952, 2.3.1
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let i = 0; i < 8; i += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** Unpacks a zlib stream; `DocumentTooLarge` beyond `most` bytes, before any checksum. */
export function unpackZlib(packed: Bytes, most: number): Bytes {
  const [method = 0, flags = 0] = packed;
  const isZlib = packed.length >= 2 && (method * 256 + flags) % 31 === 0;
  if (!isZlib || (method & 15) !== 8 || method >> 4 > 7 || flags & 32) malformed("not zlib");
  const { data, end } = inflate(packed, 2, most);
  if (packed.length !== end + 4) malformed("cut off or trailing bytes");
  if (viewOf(packed).getUint32(end) !== adler32Of(data)) malformed("a wrong checksum");
  return data;
}

/** Unpacks a gzip file of one member; `DocumentTooLarge` beyond `most` bytes, before any checksum. */
export function unpackGzip(packed: Bytes, most: number): Bytes {
  const { data, end } = inflate(packed, endOfGzipHeader(packed), most);
  if (packed.length !== end + 8) malformed("cut off or trailing bytes");
  if (viewOf(packed).getUint32(end, true) !== crc32Of(data)) malformed("a wrong checksum");
  if (viewOf(packed).getUint32(end + 4, true) !== data.length) malformed("a wrong size");
  return data;
}

function endOfGzipHeader(packed: Bytes): number {
  const [id1, id2, method, flags = 0] = packed;
  if (id1 !== 0x1f || id2 !== 0x8b || method !== 8 || flags & RESERVED) malformed("not gzip");
  let at = 10;
  if (flags & FEXTRA) at += 2 + (packed[at] ?? 0) + 256 * (packed[at + 1] ?? 0);
  for (const flag of [FNAME, FCOMMENT]) {
    if (!(flags & flag)) continue;
    const end = packed.indexOf(0, at);
    if (end < 0) malformed("a gzip header that is cut off");
    at = end + 1;
  }
  if (!(flags & FHCRC)) return at;
  const [low = 0, high = 0] = packed.subarray(at);
  if ((crc32Of(packed.subarray(0, at)) & 0xffff) !== low + 256 * high) malformed("a wrong header checksum");
  return at + 2;
}

function crc32Of(data: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of data) value = (value >>> 8) ^ (CRC_TABLE[(value ^ byte) & 0xff] ?? 0);
  return (value ^ 0xffffffff) >>> 0;
}

function adler32Of(data: Uint8Array): number {
  let [a, b] = [1, 0];
  // So many sums stay below 2^53 by far; a remainder for each byte takes four times as long.
  for (let start = 0; start < data.length; start += 4096) {
    for (const byte of data.subarray(start, start + 4096)) {
      a += byte;
      b += a;
    }
    a %= 65521;
    b %= 65521;
  }
  return b * 65536 + a;
}

function viewOf(data: Bytes): DataView {
  return new DataView(data.buffer, data.byteOffset, data.length);
}

function malformed(what: string): never {
  return refuse("MalformedDocument", `it cannot be unpacked: ${what}`);
}
