// Strict compact JWS (trust-list.md, 1): taken apart here, verified by who knows the key.

import { ascii, countCharacters, decodeBase64url } from "./encodings.mjs";
import { readJsonObject } from "./json.mjs";
import { refuse } from "./refusal.mjs";

export function readJws(text, typ, mostCharacters) {
  if (countCharacters(text) > mostCharacters) refuse("MalformedJws", "too long");
  const parts = text.split(".");
  if (parts.length !== 3) refuse("MalformedJws", "not three parts");
  const header = readJsonObject(decodeBase64url(parts[0]));
  if (header.typ !== typ) refuse("MalformedJws", `typ is not ${typ}`);
  if (header.alg !== "ES256") refuse("MalformedJws", "alg is not ES256");
  if ("crit" in header || "b64" in header) refuse("MalformedJws", "a critical extension");
  const signature = decodeBase64url(parts[2]);
  if (signature.length !== 64) refuse("MalformedJws", "a signature has 64 bytes");
  const payload = readJsonObject(decodeBase64url(parts[1]));
  return { header, payload, signature, message: ascii(`${parts[0]}.${parts[1]}`) };
}
