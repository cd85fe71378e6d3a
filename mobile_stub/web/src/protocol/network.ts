/**
 * HTTP with the limits that a phone needs: timeouts, capped answers, no redirects, no cookies.
 *
 * Everything that keeps an answer from arriving whole is a refusal; what an answer means is decided
 * by those who asked.
 */

import { WalletRefusal } from "../model.ts";
import { parseAddress } from "./addresses.ts";
import { parseJsonObject, type JsonObject } from "./json.ts";

/** Metadata of many configurations in many languages stays far below. */
export const MAX_ANSWER_BYTES = 1024 * 1024;
const TIMEOUT_MS = 20_000;
// A service that more ask than it can serve says when to come again (RFC 9110, section 15.6.4).
const TRIES_WHEN_BUSY = 4;
const LONGEST_WAIT = 10; // seconds; who is told to wait for longer is told so

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly host: string;
}

export interface Question {
  readonly headers?: Readonly<Record<string, string>>;
  readonly form?: Readonly<Record<string, string>>;
  readonly json?: JsonObject;
  readonly parts?: FormData;
  readonly maxBytes?: number;
}

/**
 * Asks, and returns the whole answer, whatever its status.
 *
 * A 503 that says when to come again is obeyed: the answer is then that of a later try.
 */
export async function call(method: string, address: string, question: Question = {}): Promise<Answer> {
  for (let triesLeft = TRIES_WHEN_BUSY - 1; ; triesLeft -= 1) {
    const answer = await ask(method, address, question);
    const seconds = waitOf(answer);
    if (seconds === null || triesLeft === 0) return answer;
    // Not all that were told so come back in the same moment.
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000 * (1 + Math.random())));
  }
}

async function ask(method: string, address: string, question: Question): Promise<Answer> {
  const url = new URL(parseAddress(address));
  try {
    const response = await fetch(url, {
      method,
      headers: { Accept: "application/json", ...contentType(question), ...question.headers },
      body: bodyOf(question),
      mode: "cors",
      credentials: "omit",
      cache: "no-store",
      redirect: "manual",
      referrerPolicy: "no-referrer",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.type === "opaqueredirect") throw new WalletRefusal("bad-answer", { host: url.host });
    const body = await read(response, url.host, question.maxBytes ?? MAX_ANSWER_BYTES);
    return { status: response.status, headers: response.headers, body, host: url.host };
  } catch (error) {
    if (error instanceof WalletRefusal) throw error;
    throw await unanswered(url);
  }
}

/** How long a busy service wants to be left alone, in seconds; null: it is not busy. */
function waitOf(answer: Answer): number | null {
  const said = answer.headers.get("retry-after") ?? "";
  const isShort = /^[0-9]{1,3}$/.test(said) && Number(said) <= LONGEST_WAIT;
  return answer.status === 503 && isShort ? Number(said) : null;
}

/** The answer's body as a JSON object. */
export function objectOf(answer: Answer): JsonObject {
  const value = parseJsonObject(answer.body);
  if (value === undefined) throw new WalletRefusal("bad-answer", { host: answer.host });
  return value;
}

/** Seconds that this phone's clock is ahead of the answer's; null when it does not say. */
export function clockAhead(answer: Answer, now: number): number | null {
  const then = Date.parse(answer.headers.get("date") ?? "");
  return Number.isNaN(then) ? null : now - Math.floor(then / 1000);
}

/** Why there is no answer at all. */
async function unanswered(url: URL): Promise<WalletRefusal> {
  if (!navigator.onLine && !isNear(url)) return new WalletRefusal("no-network", { host: url.host });
  // The browser says that our own policy forbids an address only by an event, a little later.
  await new Promise((resolve) => setTimeout(resolve));
  if (forbidden.has(url.origin)) return new WalletRefusal("issuer-unknown", { host: url.host });
  return new WalletRefusal("service-away", { host: url.host });
}

// This very machine is there without any network.
function isNear(url: URL): boolean {
  return url.protocol === "http:";
}

const forbidden = new Set<string>();

/** Learns which addresses the page's own policy forbids; call it once, before anything is asked. */
export function watchPolicy(): void {
  globalThis.addEventListener("securitypolicyviolation", (event: Event) => {
    const { effectiveDirective, blockedURI } = event as SecurityPolicyViolationEvent;
    const isOurs = effectiveDirective === "connect-src" && URL.canParse(blockedURI);
    if (isOurs) forbidden.add(new URL(blockedURI).origin);
  });
}

function contentType(question: Question): Record<string, string> {
  if (question.json !== undefined) return { "Content-Type": "application/json" };
  if (question.form !== undefined) return { "Content-Type": "application/x-www-form-urlencoded" };
  return {};
}

function bodyOf(question: Question): string | FormData | null {
  if (question.json !== undefined) return JSON.stringify(question.json);
  if (question.form !== undefined) return new URLSearchParams(question.form).toString();
  return question.parts ?? null;
}

async function read(response: Response, host: string, most: number): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
    parts.push(part.value);
    size += part.value.length;
    if (size <= most) continue;
    await reader?.cancel();
    throw new WalletRefusal("bad-answer", { host });
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
