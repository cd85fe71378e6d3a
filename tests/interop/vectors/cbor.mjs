// CBOR as esc-qr.md, 2.1, uses it: integers, bytes, text, arrays, maps, true, false, in deterministic
// encoding. What is not that is refused while it is read, so nothing has to be encoded again.

import { refuse } from "./refusal.mjs";

const LEAST = { 24: 24, 25: 256, 26: 65536, 27: 4294967296 };

class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  take(count) {
    if (this.at + count > this.bytes.length) refuse("MalformedCode", "CBOR is cut off");
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  head() {
    const first = this.take(1)[0];
    const [major, info] = [first >> 5, first & 31];
    if (info < 24) return [major, info];
    if (info > 27 || major > 5) refuse("MalformedCode", "an indefinite length or a foreign head");
    const number = this.take(1 << (info - 24)).reduce((sum, byte) => sum * 256 + byte, 0);
    if (number < LEAST[info]) refuse("MalformedCode", "a head longer than needed");
    return [major, number];
  }

  item(depth) {
    if (depth > 6) refuse("MalformedCode", "CBOR nested too deep");
    const [major, number] = this.head();
    switch (major) {
      case 0:
        return number;
      case 1:
        return -1 - number;
      case 2:
        return this.take(number);
      case 3:
        return utf8(this.take(number));
      case 4:
        return this.array(number, depth);
      case 5:
        return this.map(number, depth);
      default:
        if (major === 7 && (number === 20 || number === 21)) return number === 21;
        return refuse("MalformedCode", "a tag, float or simple value");
    }
  }

  array(count, depth) {
    const items = [];
    for (let i = 0; i < count; i += 1) items.push(this.item(depth + 1));
    return items;
  }

  map(count, depth) {
    const members = new Map();
    let before = null;
    for (let i = 0; i < count; i += 1) {
      const start = this.at;
      const key = this.item(depth + 1);
      const encoded = this.bytes.subarray(start, this.at);
      if (before !== null && Buffer.compare(before, encoded) >= 0) refuse("MalformedCode", "keys unsorted or twice");
      before = encoded;
      members.set(key, this.item(depth + 1));
    }
    return members;
  }
}

function utf8(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse("MalformedCode", "not UTF-8");
  }
}

export function readCbor(bytes) {
  const reader = new Reader(bytes);
  const value = reader.item(1);
  if (reader.at !== bytes.length) refuse("MalformedCode", "bytes after the item");
  return value;
}

// Only what a Sig_structure needs: an array of one short text and byte strings.
export function writeSigStructure(context, ...parts) {
  const out = [0x80 | (parts.length + 1), 0x60 | context.length, ...Buffer.from(context)];
  for (const part of parts) {
    if (part.length < 24) out.push(0x40 | part.length);
    else if (part.length < 256) out.push(0x58, part.length);
    else out.push(0x59, part.length >> 8, part.length & 255);
    out.push(...part);
  }
  return Uint8Array.from(out);
}
