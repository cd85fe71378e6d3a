// zlib and gzip streams: whole, checksums right, nothing after them, and never beyond a cap.

import { crc32Of } from "./crc32.mjs";
import { refuse } from "./refusal.mjs";
import zlib from "node:zlib";

// Inflates a raw deflate stream; returns the bytes and how many were read of `packed`.
function inflate(packed, most) {
  try {
    const { buffer, engine } = zlib.inflateRawSync(packed, { maxOutputLength: most, info: true });
    return [buffer, engine.bytesWritten];
  } catch (error) {
    if (error.code === "ERR_BUFFER_TOO_LARGE") refuse("DocumentTooLarge");
    if (/^(Z_|ERR_)/.test(error.code ?? "")) refuse("MalformedDocument", error.message);
    throw error;
  }
}

function adler32Of(bytes) {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return b * 65536 + a;
}

export function unpackZlib(packed, most) {
  const head = packed.length < 2 ? 1 : packed[0] * 256 + packed[1];
  if (head % 31 !== 0 || (packed[0] & 15) !== 8 || packed[1] & 32) refuse("MalformedDocument", "not zlib");
  const [bytes, used] = inflate(packed.subarray(2), most);
  const rest = packed.subarray(2 + used);
  const wanted = rest.length === 4 ? Buffer.from(rest).readUInt32BE() : -1;
  if (wanted !== adler32Of(bytes)) refuse("MalformedDocument", "cut off, changed, or trailing bytes");
  return bytes;
}

// RFC 1952, 2.3: where the compressed data begins.
function endOfGzipHeader(packed) {
  if (packed.length < 18 || packed[0] !== 0x1f || packed[1] !== 0x8b || packed[2] !== 8 || packed[3] & 0xe0) {
    refuse("MalformedDocument", "not gzip");
  }
  const flags = packed[3];
  let at = 10;
  if (flags & 4) at += 2 + packed[at] + 256 * packed[at + 1];
  for (const flag of [8, 16]) {
    if (flags & flag) at = packed.indexOf(0, at) + 1 || refuse("MalformedDocument", "gzip is cut off");
  }
  return flags & 2 ? at + 2 : at;
}

export function unpackGzip(packed, most) {
  const start = endOfGzipHeader(packed);
  const [bytes, used] = inflate(packed.subarray(start), most);
  const rest = Buffer.from(packed.subarray(start + used));
  if (rest.length !== 8) refuse("MalformedDocument", "cut off or trailing bytes");
  if (rest.readUInt32LE(0) !== crc32Of(bytes)) refuse("MalformedDocument", "wrong checksum");
  if (rest.readUInt32LE(4) !== bytes.length % 2 ** 32) refuse("MalformedDocument", "wrong size");
  return bytes;
}
