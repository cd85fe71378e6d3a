/** Which addresses the phone talks to, and where well-known documents are. */

import { WalletRefusal } from "../model.ts";

const MAX_CHARS = 2048;
// Printable ASCII without the backslash, which browsers read as a slash.
const PLAIN = /^https?:\/\/[!-[\]-~]+$/i;

/** An address that may be called: https, or http on this very machine (a demonstration). */
export function parseAddress(value: unknown): string {
  if (typeof value !== "string" || value.length > MAX_CHARS || !PLAIN.test(value)) return refuse("-");
  const url = URL.canParse(value) ? new URL(value) : null;
  if (url?.username !== "" || url.password !== "" || value.includes("#")) return refuse("-");
  if (url.protocol === "https:" || isLoopback(url.hostname)) return value;
  return refuse(url.host);
}

/** An address that a document names; no http below an issuer that is reached by https. */
export function parseEndpoint(value: unknown, of: string): string {
  const address = parseAddress(value);
  if (of.startsWith("https:") && !address.startsWith("https:")) return refuse(hostOf(address));
  return address;
}

/** Whether the host, as a URL spells it, is this machine. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/**
 * `/.well-known/<name>` put between the host and the path of an identifier
 * (OpenID4VCI 1.0, section 12.2.2; RFC 8414, section 3.1: a slash at the end is dropped).
 */
export function wellKnownAddress(identifier: string, name: string): string {
  const url = new URL(identifier);
  return `${url.origin}/.well-known/${name}${url.pathname.replace(/\/+$/, "")}`;
}

/** The host of an address (with its port), for sentences. */
export function hostOf(address: string): string {
  return new URL(address).host;
}

/** The device's own address: what the card's is below (docs/wallet-api.md, section 4). */
export function deviceAddress(cardUri: string): string {
  return cardUri.slice(0, cardUri.lastIndexOf("/"));
}

function refuse(host: string): never {
  throw new WalletRefusal("issuer-not-safe", { host });
}
