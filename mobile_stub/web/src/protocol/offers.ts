/**
 * Credential offers, from a link to what the phone needs of them (OpenID4VCI 1.0, section 4.1).
 *
 * An offer is untrusted text: anyone can print a QR code. Nothing is sent because of it before its
 * shape is checked, and only to addresses that `addresses.ts` allows.
 */

import { WalletRefusal } from "../model.ts";
import { parseAddress } from "./addresses.ts";
import { isArray, isObject, parseJson, textOf, type Json, type JsonObject } from "./json.ts";
import { call } from "./network.ts";

export const GRANT_TYPE = "urn:ietf:params:oauth:grant-type:pre-authorized_code";
const MAX_OFFER_CHARS = 64 * 1024;
const MAX_CONFIGURATIONS = 20;
const MAX_PARAMETERS = 20;
const SCHEMES = ["openid-credential-offer:", "haip-vci:"];
// Our services' references; a shorter one was cut off.
const REFERENCE = /\/offers\/([A-Za-z0-9_-]*)$/;
const REFERENCE_CHARS = 43;
const NAME = "credential_offer";
// Cut before it: within the institution's number or the word.
const BEFORE_REFERENCE = /\/\d{1,9}(?:\/(?:o|of|off|offe|offer|offers)?)?$/;

/** What the offer says of the code that the student got by another way. */
export interface TxCode {
  readonly numeric: boolean;
  readonly length: number | null;
}

/** An offer with a pre-authorized code. */
export interface Offer {
  readonly credentialIssuer: string;
  readonly configurationIds: readonly string[];
  readonly preAuthorizedCode: string;
  readonly txCode: TxCode | null;
  readonly authorizationServer: string | null;
}

/** An offer's JSON, or the address where it is. */
export type Link = { readonly value: string } | { readonly reference: string };

/** The offer's JSON: out of the link, or from the address that the link names. */
export async function fetchOfferText(link: string): Promise<string> {
  const found = parseLink(link);
  if ("value" in found) return found.value;
  const address = parseAddress(found.reference);
  const answer = await call("GET", address, { maxBytes: MAX_OFFER_CHARS });
  if (answer.status === 404 || answer.status === 410) {
    throw new WalletRefusal(isCutReference(address) ? "offer-cut" : "offer-expired");
  }
  if (answer.status >= 500) throw new WalletRefusal("service-away", { host: answer.host });
  if (answer.status !== 200) throw new WalletRefusal("service-refused", { host: answer.host });
  return new TextDecoder().decode(answer.body);
}

/**
 * Takes a link apart: `openid-credential-offer://?...`, or an https link to a wallet with the same
 * parameters in its fragment or query. A link wrapped by a mail client is put together again.
 */
export function parseLink(link: string): Link {
  const text = link.replace(/[ \t\r\n]+/g, "");
  if (text.length > MAX_OFFER_CHARS) return malformed();
  const parameters = parametersOf(text);
  const found = [...parameters].filter(([name]) => name.startsWith("credential_offer"));
  const [only] = found;
  if (isCutName([...parameters.keys()].join())) return cut();
  if (only === undefined || found.length > 1) return malformed();
  const [name, value] = only;
  if (name !== "credential_offer" && name !== "credential_offer_uri") {
    return "credential_offer_uri".startsWith(name) ? cut() : malformed();
  }
  if (value === "") return cut();
  if (name === "credential_offer") return { value };
  return isCutAddress(value) ? cut() : { reference: value };
}

/** The offer in this JSON. */
export function parseOffer(text: string): Offer {
  const value = parseJson(text);
  if (!isObject(value)) return isCutJson(text) ? cut() : malformed();
  const grant = isObject(value["grants"]) ? value["grants"][GRANT_TYPE] : undefined;
  if (!isObject(grant)) return malformed();
  const server = grant["authorization_server"];
  return {
    credentialIssuer: parseAddress(value["credential_issuer"]),
    configurationIds: parseConfigurations(value["credential_configuration_ids"]),
    preAuthorizedCode: textOf(grant["pre-authorized_code"]) ?? malformed(),
    txCode: "tx_code" in grant ? parseTxCode(grant) : null,
    authorizationServer: server === undefined || server === null ? null : parseAddress(server),
  };
}

/** Finds a mistyped code before it costs one of the few tries. */
export function checkTxCode(expected: TxCode | null, given: string | null): void {
  if (expected === null) return;
  const text = given ?? "";
  const isLong = expected.length === null ? text !== "" : Array.from(text).length === expected.length;
  const isNumber = !expected.numeric || /^[0-9]*$/.test(text);
  if (!isLong || !isNumber) throw new WalletRefusal("tx-code-wrong");
}

function parametersOf(text: string): URLSearchParams {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) return malformed();
  const isWeb = url.protocol === "https:" || url.protocol === "http:";
  if (!isWeb && !SCHEMES.includes(url.protocol)) return malformed();
  const fragment = url.hash.slice(1);
  if (isWeb && SCHEMES.some((scheme) => fragment.startsWith(scheme))) return parametersOf(fragment);
  const isOfferHere = fragment.includes("credential_offer") || isCutName(fragment);
  const encoded = isWeb && isOfferHere ? fragment : url.search.slice(1);
  if (/%[0-9a-f]?$/i.test(encoded)) return cut();
  if (/%(?![0-9a-f]{2})/i.test(encoded)) return malformed();
  const parameters = new URLSearchParams(encoded);
  return parameters.size <= MAX_PARAMETERS ? parameters : malformed();
}

function parseConfigurations(value: Json | undefined): readonly string[] {
  const ids = isArray(value) ? value : [];
  const texts = ids.map(textOf).filter((text) => text !== null);
  const isFull = texts.length > 0 && texts.length === ids.length && texts.length <= MAX_CONFIGURATIONS;
  return isFull && new Set(texts).size === texts.length ? texts : malformed();
}

// `{}` still means that a code is required (section 4.1.1).
function parseTxCode(grant: JsonObject): TxCode {
  const value = grant["tx_code"];
  if (!isObject(value)) return malformed();
  const length = value["length"] ?? null;
  if (length !== null && !Number.isInteger(length)) return malformed();
  return { numeric: (value["input_mode"] ?? "numeric") === "numeric", length: length as number | null };
}

/** Whether a link ends within the name of what it should hold. */
function isCutName(text: string): boolean {
  return text !== "" && text !== NAME && NAME.startsWith(text);
}

/** Whether it ends before its path has begun. */
function isCutAddress(text: string): boolean {
  return "https://".startsWith(text) || (URL.canParse(text) && new URL(text).pathname === "/");
}

function isCutReference(address: string): boolean {
  const reference = REFERENCE.exec(address)?.[1];
  return reference === undefined ? BEFORE_REFERENCE.test(address) : reference.length < REFERENCE_CHARS;
}

/** Whether it begins like an offer and only its end is missing: more is opened than closed. */
function isCutJson(text: string): boolean {
  const marks = text.replace(/"(?:[^"\\]|\\.)*"/g, "");
  const count = (mark: string): number => marks.split(mark).length;
  return text.trimStart().startsWith("{") && count("{") + count("[") > count("}") + count("]");
}

function malformed(): never {
  throw new WalletRefusal("offer-malformed");
}

function cut(): never {
  throw new WalletRefusal("offer-cut");
}
