/** What an issuer's answers mean: tokens, nonces and credentials (OpenID4VCI 1.0, sections 6 to 8). */

import { WalletRefusal } from "../model.ts";
import { isArray, isObject, parseJsonObject, textOf, type Json } from "./json.ts";
import { objectOf, type Answer } from "./network.ts";
import { printable } from "./texts.ts";

/** An access token, and credential identifiers by configuration where the answer names them. */
export interface Access {
  readonly token: string;
  readonly identifiers: Readonly<Record<string, string>>;
}

/** The answer, when it is a 200. */
export function expectOk(answer: Answer): Answer {
  if (answer.status === 200) return answer;
  if (answer.status >= 500) throw new WalletRefusal("service-away", { host: answer.host });
  if (answer.status === 429) throw new WalletRefusal("too-many", waitOf(answer));
  throw new WalletRefusal("service-refused", { host: answer.host, words: wordsOf(answer) });
}

/** How long to wait, in seconds, when the answer says so. */
export function waitOf(answer: Answer): Record<string, number> {
  const seconds = Number.parseInt(answer.headers.get("retry-after") ?? "", 10);
  return Number.isNaN(seconds) ? {} : { seconds };
}

/** The `error` of a refusal in the OAuth dialect, or null. */
export function errorCode(answer: Answer): string | null {
  if (answer.status === 200) return null;
  const code = textOf(parseJsonObject(answer.body)?.["error"]);
  return code === null ? null : printable(code);
}

/** Why there is no token: mostly a wrong code, and then how many tries are left. */
export function tokenRefusal(answer: Answer, tries: { withCode: boolean; wasWrong: boolean }): WalletRefusal {
  if (errorCode(answer) !== "invalid_grant") {
    return new WalletRefusal("service-refused", { host: answer.host, words: wordsOf(answer) });
  }
  const left = parseJsonObject(answer.body)?.["tries_left"];
  if (tries.withCode && typeof left === "number" && left > 0) {
    return new WalletRefusal("tx-code-wrong", { left });
  }
  return new WalletRefusal(tries.wasWrong ? "tx-code-dead" : "offer-used");
}

/** The access in a token answer (section 6.2). */
export function parseAccess(answer: Answer): Access {
  const body = objectOf(answer);
  const [token, kind] = [textOf(body["access_token"]), textOf(body["token_type"])];
  if (token === null || kind?.toLowerCase() !== "bearer") return bad(answer);
  const details = body["authorization_details"];
  return { token, identifiers: Object.fromEntries(isArray(details) ? details.flatMap(identifierOf) : []) };
}

/** The nonce in a nonce answer (section 7.2). */
export function parseNonce(answer: Answer): string {
  return textOf(objectOf(answer)["c_nonce"]) ?? bad(answer);
}

/** The credential in a credential answer (section 8.3). */
export function firstCredential(answer: Answer): Json {
  const credentials = objectOf(answer)["credentials"];
  const first = isArray(credentials) ? credentials[0] : undefined;
  return (isObject(first) ? first["credential"] : undefined) ?? bad(answer);
}

function identifierOf(detail: Json): [string, string][] {
  if (!isObject(detail)) return [];
  const [name, texts] = [textOf(detail["credential_configuration_id"]), detail["credential_identifiers"]];
  const first = isArray(texts) ? texts.map(textOf).find((text) => text !== null) : undefined;
  return name === null || first === undefined ? [] : [[name, first]];
}

function wordsOf(answer: Answer): string {
  const body = parseJsonObject(answer.body);
  return printable(textOf(body?.["error_description"]) ?? textOf(body?.["detail"]) ?? "");
}

function bad(answer: Answer): never {
  throw new WalletRefusal("bad-answer", { host: answer.host });
}
