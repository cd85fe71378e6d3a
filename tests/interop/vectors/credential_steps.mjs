// Checking an SD-JWT VC: credential.md, section 3.

import { readClaims, readCredential } from "./credential.mjs";
import { ascii, encodeBase64url } from "./encodings.mjs";
import { picOf } from "./identifiers.mjs";
import { secondsOf } from "./json.mjs";
import { readJws } from "./jws.mjs";
import { sha256, verifies } from "./keys.mjs";
import { as, refuse } from "./refusal.mjs";
import { checkScope, checkService, checkStatus, checkTime, findKeys } from "./steps.mjs";
import { checkKeyAt } from "./trust.mjs";

async function checkBinding({ binding, presented }, holder, asked, now) {
  const jws = as("MalformedCredential", () => readJws(binding, "kb+jwt", 4096));
  const { sd_hash: hash, aud, nonce, iat } = jws.payload;
  if (!(await verifies(holder, jws.signature, jws.message))) refuse("BadDeviceSignature");
  if (hash !== encodeBase64url(await sha256(ascii(presented)))) refuse("BadDeviceSignature");
  if (aud !== asked.audience || nonce !== asked.nonce) refuse("BadDeviceSignature");
  const signedAt = secondsOf(iat, "MalformedCredential");
  if (signedAt < now - 105) refuse("StaleCode");
  if (signedAt > now + 60) refuse("CodeFromFuture");
}

function checkEntitlement(claims, institution, policy) {
  const pics = [claims.pic, claims.escn && picOf(claims.escn)];
  if (pics.some((pic) => pic !== null && pic !== institution.pic)) refuse("ForeignKey");
  claims.esis.forEach((esi) => checkScope(esi, institution));
  if (policy.identity_only && claims.esis.length === 0) refuse("ProfileRefused");
}

export async function verifyCredential(text, { knowledge, now, policy, asked }) {
  const credential = await readCredential(text);
  const { jws } = credential;
  if (policy.live_only && asked === null) refuse("StaticCode");
  if (asked !== null && credential.binding === "") refuse("StaticCode");
  const named = (one) => one.issuer === jws.payload.iss;
  const institution = knowledge.trust.institutions.find(named) ?? refuse("UnknownInstitution");
  const [key] = findKeys(institution, knowledge, (one) => one.kid === jws.header.kid);
  if (!(await verifies(key.key, jws.signature, jws.message))) refuse("BadSignature");
  const claims = readClaims(credential);
  checkKeyAt(key, claims.nbf);
  checkTime(claims.nbf, claims.exp, now);
  const isCard = claims.vct !== "VerifiableStudentID";
  if (isCard && !knowledge.trust.types.has(claims.vct)) refuse("NotACard");
  checkEntitlement(claims, institution, policy);
  if (asked !== null) await checkBinding(credential, claims.holder, asked, now);
  const isOurs = [...institution.lists.values()].includes(claims.uri);
  const status = checkStatus(isOurs ? knowledge.lists.get(claims.uri) : undefined, claims.index, now, policy);
  const shown = { name: claims.name, esi: claims.esis[0]?.text ?? null, level: claims.level };
  checkService(institution, isCard ? "EuropeanStudentCard" : "VerifiableStudentID", shown, policy);
  return {
    escn: claims.escn,
    pic: institution.pic,
    ...shown,
    profile: claims.esis.length > 0 ? "identity" : "status",
    evidence: asked === null ? "static" : "key-binding",
    ...status,
  };
}
