/** Proofs of a card's own key, for what the service wants one for. */

import { possessionProof } from "../codes/device_key.ts";
import { WalletRefusal } from "../model.ts";
import { parseEndpoint } from "../protocol/addresses.ts";
import { expectOk, parseNonce } from "../protocol/answers.ts";
import { fetchMetadata } from "../protocol/metadata.ts";
import { call } from "../protocol/network.ts";
import type { Database } from "../store/database.ts";
import type { CardRecord, KeyRecord } from "../store/records.ts";

/** Seconds that a clock may be wrong before a proof goes by the service's. */
const TOLERANCE = 30;

export async function keyOf(database: Database, id: string): Promise<KeyRecord> {
  const key = await database.read((transaction) => transaction.objectStore("keys").get(id));
  if (key === undefined) throw new WalletRefusal("storage-lost");
  return key;
}

/** A proof with this nonce, or with one that is asked for. */
export async function proofOf(
  database: Database,
  card: CardRecord,
  now: number,
  nonce: string | null = null,
): Promise<string> {
  const key = await keyOf(database, card.id);
  const fresh = nonce ?? (await fetchNonce(card.credentialIssuer));
  const time = serviceTime(now, card.clockAhead);
  return possessionProof(key, { audience: card.credentialIssuer, nonce: fresh, now: time });
}

/** Now by the service's clock, when this phone's is plainly wrong. */
export function serviceTime(now: number, ahead: number): number {
  return Math.abs(ahead) > TOLERANCE ? now - ahead : now;
}

async function fetchNonce(credentialIssuer: string): Promise<string> {
  const metadata = await fetchMetadata(credentialIssuer);
  const endpoint = parseEndpoint(metadata["nonce_endpoint"], credentialIssuer);
  return parseNonce(expectOk(await call("POST", endpoint)));
}
