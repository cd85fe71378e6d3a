// ESI, ESCN and PIC (esc-qr.md, 1 and 2.2).

import { refuse } from "./refusal.mjs";

const ESCN = /^[0-9a-f]{8}-[0-9a-f]{4}-1[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9]{12}$/;
const COUNTRY = /^[a-z]{2}(-[a-z0-9]{1,3})?$/;
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const CODE = /^([A-Za-z0-9()+,\-.:=@;$_!*']|%(?!00)[0-9A-Fa-f]{2})+$/;
const PLAIN = /^(?!\p{Zs})[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]*$/u;
export const ESI_PREFIX = "urn:schac:personalUniqueCode:int:esi:";

const malformed = (message) => refuse("MalformedIdentifier", message);
const lower = (text) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

export function readEscn(text) {
  const escn = lower(text);
  return text.length === 36 && ESCN.test(escn) ? escn : malformed("not a card number");
}

export const picOf = (escn) => escn.slice(-9);

export function readPic(text) {
  return text.length === 9 && /^[0-9]{9}$/.test(text) ? text : malformed("not a PIC");
}

function isDomain(scope) {
  const labels = scope.split(".");
  const last = labels.at(-1);
  return labels.length > 1 && labels.every((label) => LABEL.test(label)) && /^[a-z]./.test(last);
}

export function readEsiSuffix(text) {
  const colon = text.indexOf(":");
  const scope = text.slice(0, Math.max(colon, 0));
  const code = text.slice(colon + 1);
  const low = lower(scope);
  if (colon < 0 || !(COUNTRY.test(low) || isDomain(low))) malformed("not a scope");
  if (!CODE.test(code)) malformed("not a code");
  return { scope, code, text: ESI_PREFIX + text };
}

export function readEsi(text) {
  if ([...text].length > 255) malformed("an ESI has at most 255 characters");
  const prefix = text.slice(0, ESI_PREFIX.length);
  if (lower(prefix) !== lower(ESI_PREFIX)) malformed("not the prefix of an ESI");
  return readEsiSuffix(text.slice(ESI_PREFIX.length));
}

export const normalOf = (esi) => lower(esi.text);

// esc-qr.md, 2.2: can be shown as it is.
export function isPlain(text) {
  return PLAIN.test(text) && !/\p{Zs}$/u.test(text);
}
