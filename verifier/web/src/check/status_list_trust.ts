/** Whether a status list or a delta may speak for an institution: its address, its signer, its time. */

import { refuse } from "./errors.ts";
import { verifiesJws, type UnverifiedJws } from "./jws.ts";
import { checkKeyAt, LEEWAY } from "./trust.ts";
import type { TrustedInstitution, TrustedKey, TrustList } from "./trust_document.ts";

/** A status list or a delta: what is signed, for which address, and when it says that it was. */
export interface SignedStatus {
  readonly uri: string;
  readonly issuedAt: number;
  readonly jws: UnverifiedJws;
}

export type Owners = ReadonlyMap<string, TrustedInstitution>;

/** Whose status list is at an address. */
export function ownersOf(trust: TrustList): Owners {
  const owners = new Map<string, TrustedInstitution>();
  for (const institution of trust.institutions.values()) {
    for (const uri of institution.statusLists.values()) owners.set(uri, institution);
  }
  return owners;
}

/** Holds it to its signer, its time and its signature. */
export async function verifySignedStatus(signed: SignedStatus, owners: Owners, now: number): Promise<void> {
  const { publicKey } = findSignerAt(signed, owners, now);
  if (!(await verifiesJws(signed.jws, publicKey))) refuse("DocumentUntrusted", "its signature does not fit");
}

/** The key that it names, as `findSigner`; it must not be from the future either. */
export function findSignerAt(signed: SignedStatus, owners: Owners, now: number): TrustedKey {
  const key = findSigner(signed, owners);
  if (signed.issuedAt > now + LEEWAY) refuse("DocumentFromFuture", "it is from the future: a clock is wrong");
  return key;
}

/** The key that it names, if it may have signed for this institution at its time. */
export function findSigner(signed: SignedStatus, owners: Owners): TrustedKey {
  const institution = owners.get(signed.uri);
  if (institution === undefined) {
    return refuse("DocumentUntrusted", "no institution of the trust list has this address");
  }
  const kid = signed.jws.header.get("kid");
  const key = institution.keys.find((one) => one.kid === kid);
  if (key === undefined) return refuse("DocumentUntrusted", "it is not signed by a key of its institution");
  checkKeyAt(key, signed.issuedAt);
  return key;
}
