/**
 * The two well-known documents of an issuer, and what the phone needs of them
 * (OpenID4VCI 1.0, sections 12.2 and 12.3; RFC 8414 for the authorization server).
 */

import { WalletRefusal } from "../model.ts";
import { hostOf, parseEndpoint, wellKnownAddress } from "./addresses.ts";
import { isArray, isObject, textOf, type Json, type JsonObject } from "./json.ts";
import { call, objectOf } from "./network.ts";
import type { Offer } from "./offers.ts";
import { printable } from "./texts.ts";

const SIGNING_ALGORITHM = "ES256";

/** A kind of credential that the issuer has. */
export interface Configuration {
  readonly format: string;
  readonly needsProof: boolean;
}

/** Where to ask for what. */
export interface IssuerDocuments {
  readonly credentialIssuer: string;
  readonly name: string;
  readonly tokenEndpoint: string;
  readonly nonceEndpoint: string | null;
  readonly credentialEndpoint: string;
  readonly configurations: ReadonlyMap<string, Configuration>;
}

/** Fetches and checks the documents of the issuer of an offer. */
export async function fetchDocuments(offer: Offer): Promise<IssuerDocuments> {
  const issuer = offer.credentialIssuer;
  const metadata = await fetchMetadata(issuer);
  const server = authorizationServer(metadata, offer);
  const tokens = await fetchDocument(server, "oauth-authorization-server");
  if (tokens["issuer"] !== server) throw new WalletRefusal("issuer-unknown", { host: hostOf(server) });
  const nonceEndpoint = metadata["nonce_endpoint"] ?? null;
  return {
    credentialIssuer: issuer,
    name: nameOf(metadata) ?? hostOf(issuer),
    tokenEndpoint: parseEndpoint(tokens["token_endpoint"], issuer),
    nonceEndpoint: nonceEndpoint === null ? null : parseEndpoint(nonceEndpoint, issuer),
    credentialEndpoint: parseEndpoint(metadata["credential_endpoint"], issuer),
    configurations: offeredConfigurations(metadata, offer),
  };
}

/** The issuer's own document, which must speak for this very issuer. */
export async function fetchMetadata(issuer: string): Promise<JsonObject> {
  const metadata = await fetchDocument(issuer, "openid-credential-issuer");
  // Plain comparison of the texts (section 12.2.4): else anyone could speak for anyone.
  if (metadata["credential_issuer"] === issuer) return metadata;
  throw new WalletRefusal("issuer-unknown", { host: hostOf(issuer) });
}

async function fetchDocument(identifier: string, name: string): Promise<JsonObject> {
  const answer = await call("GET", wellKnownAddress(identifier, name));
  if (answer.status === 200) return objectOf(answer);
  if (answer.status >= 500) throw new WalletRefusal("service-away", { host: answer.host });
  throw new WalletRefusal("issuer-unknown", { host: answer.host });
}

function authorizationServer(metadata: JsonObject, offer: Offer): string {
  const [servers, wanted] = [metadata["authorization_servers"], offer.authorizationServer];
  if (servers === undefined || servers === null) return offer.credentialIssuer;
  if (!isArray(servers) || servers.length === 0) return incomplete(offer);
  if (wanted !== null && !servers.includes(wanted)) {
    throw new WalletRefusal("issuer-unknown", { host: hostOf(wanted) });
  }
  return parseEndpoint(wanted ?? servers[0], offer.credentialIssuer);
}

function offeredConfigurations(metadata: JsonObject, offer: Offer): ReadonlyMap<string, Configuration> {
  const known = metadata["credential_configurations_supported"];
  if (!isObject(known)) return incomplete(offer);
  return new Map(offer.configurationIds.map((name) => [name, configurationOf(known[name], offer)]));
}

function configurationOf(value: Json | undefined, offer: Offer): Configuration {
  const format = isObject(value) ? textOf(value["format"]) : null;
  if (!isObject(value) || format === null) return incomplete(offer);
  const proofs = value["proof_types_supported"];
  if (proofs === undefined || proofs === null) return { format, needsProof: false };
  const jwt = isObject(proofs) ? proofs["jwt"] : undefined;
  const algorithms = isObject(jwt) ? jwt["proof_signing_alg_values_supported"] : undefined;
  if (!isArray(algorithms) || !algorithms.includes(SIGNING_ALGORITHM)) return incomplete(offer);
  return { format, needsProof: true };
}

function nameOf(metadata: JsonObject): string | null {
  const display = isArray(metadata["display"]) ? metadata["display"][0] : undefined;
  const name = isObject(display) ? textOf(display["name"]) : null;
  return name === null ? null : printable(name);
}

function incomplete(offer: Offer): never {
  throw new WalletRefusal("bad-answer", { host: hostOf(offer.credentialIssuer) });
}
