// Base32 (esc-qr.md, 1), base64url (trust-list.md, 1) and helpers for bytes; each text has one spelling.

import { refuse } from "./refusal.mjs";

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

function decodeBits(text, alphabet, width, refusal) {
  const bytes = [];
  let bits = 0;
  let waiting = 0;
  for (const letter of text) {
    const value = alphabet.indexOf(letter);
    if (value < 0) refuse(refusal, "a foreign character");
    bits = (bits << width) | value;
    waiting += width;
    if (waiting >= 8) {
      waiting -= 8;
      bytes.push(bits >> waiting);
      bits &= (1 << waiting) - 1;
    }
  }
  if (waiting >= width) refuse(refusal, "a length that no whole number of bytes gives");
  if (bits !== 0) refuse(refusal, "unused bits set");
  return Uint8Array.from(bytes);
}

export const decodeBase32 = (text) => decodeBits(text, BASE32, 5, "MalformedCode");
export const decodeBase64url = (text) => decodeBits(text, BASE64URL, 6, "MalformedJws");

export function encodeBase64url(bytes) {
  return Buffer.from(bytes).toString("base64url");
}

export function ascii(text) {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

export function concat(...parts) {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

export function equal(a, b) {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

export function bigEndian(number, size) {
  const bytes = new Uint8Array(size);
  for (let i = size - 1, rest = BigInt(number); i >= 0; i -= 1, rest >>= 8n) bytes[i] = Number(rest & 255n);
  return bytes;
}

export function toBigInt(bytes) {
  return bytes.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
}

export function hexToBytes(text) {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

// Spaces, tabs, carriage returns and line feeds around a text: these four only.
export function trim(text) {
  return text.replace(/^[ \t\r\n]+/, "").replace(/[ \t\r\n]+$/, "");
}

export function countCharacters(text) {
  return [...text].length;
}
