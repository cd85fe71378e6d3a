// The steps that a QR code and an SD-JWT VC share (esc-qr.md, section 5), and the code's own.

import { readCode } from "./code.mjs";
import { ascii, bigEndian, concat, encodeBase64url, equal } from "./encodings.mjs";
import { statusAt } from "./bundle.mjs";
import { picOf } from "./identifiers.mjs";
import { keyFromX, sha256, verifiesLowS } from "./keys.mjs";
import { refuse } from "./refusal.mjs";
import { checkKeyAt } from "./trust.mjs";

const HOUR = 3600;

export function checkTime(from, until, now) {
  if (from > now + 60) refuse("NotYetValid");
  if (now >= until + 60) refuse("Expired");
}

export function checkScope(esi, institution) {
  if (!institution.scopes.has(esi.scope.toLowerCase())) refuse("ForeignScope");
}

export function checkStatus(list, index, now, policy) {
  if (list === undefined || index >= list.size) refuse("StatusUnknown");
  const value = statusAt(list, index);
  if (value === 2) refuse("Suspended");
  if (value !== 0) refuse("Revoked");
  if (list.exp !== null && now >= list.exp + 60) refuse("StatusTooOld");
  const age = now - list.iat;
  if (age > (policy.stale_until ?? 7 * 24 * HOUR)) refuse("StatusTooOld");
  return { status_as_of: list.iat, freshness: age > (policy.fresh_for ?? 24 * HOUR) ? "stale" : "fresh" };
}

// What one service takes of good cards (rules.md, section 3).
export function checkService({ pic, country }, type, shown, { institutions, countries, types, levels, claims }) {
  if (institutions && !institutions.has(pic)) refuse("InstitutionNotAccepted");
  if (countries && !countries.has(country)) refuse("CountryNotAccepted");
  if (types && !types.has(type)) refuse("TypeNotAccepted");
  const needed = new Set([...(claims ?? []), ...(levels ? ["level"] : [])]);
  for (const claim of needed) if (shown[claim] === null) refuse("ClaimMissing");
  if (levels && !levels.has(shown.level)) refuse("LevelNotAccepted");
}

// Step 4, for a test on keys; `named` says which key is meant.
export function findKeys(institution, knowledge, named) {
  const keys = institution.keys.filter(named);
  if (keys.length > 0) return keys;
  return refuse(knowledge.trust.institutions.some((one) => one.keys.some(named)) ? "ForeignKey" : "UnknownKey");
}

async function findSigner(keys, signature, message) {
  for (const key of keys) {
    if (await verifiesLowS(key.key, signature, message)) return key;
  }
  return refuse("BadSignature");
}

async function checkLive(code, now, challenge) {
  const key = keyFromX(code.e1.claims.holder.x, code.e1.claims.holder.yIsOdd);
  const digest = await sha256(code.e1Bytes);
  const label = ascii("ESC-E2\u0000");
  const message = concat(label, digest, bigEndian(code.shownAt, 8), [challenge.length], challenge);
  if (!(await verifiesLowS(key, code.phoneSignature, message))) refuse("BadDeviceSignature");
  if (code.shownAt < now - 45) refuse("StaleCode");
  if (code.shownAt > now + 15) refuse("CodeFromFuture");
}

async function remember(code, memory) {
  const shown = encodeBase64url(await sha256(concat(code.e1Bytes, bigEndian(code.shownAt, 8))));
  if (memory.has(shown)) refuse("Replayed");
  memory.add(shown);
}

export async function verifyCard(text, { knowledge, now, policy, challenge, memory }) {
  const code = readCode(text);
  const { claims, kid, signature, message } = code.e1;
  const isLive = code.shownAt !== null;
  if ((policy.live_only || challenge.length > 0) && !isLive) refuse("StaticCode");
  if (policy.identity_only && claims.esi === null) refuse("ProfileRefused");
  const pic = picOf(code.escn);
  const institution = knowledge.trust.institutions.find((one) => one.pic === pic) ?? refuse("UnknownInstitution");
  const keys = findKeys(institution, knowledge, (key) => equal(key.kidBytes, kid));
  const signer = await findSigner(keys, signature, message);
  checkKeyAt(signer, claims.iat);
  checkTime(claims.iat, claims.exp, now);
  if (claims.esi !== null) checkScope(claims.esi, institution);
  if (isLive) await checkLive(code, now, challenge);
  const list = knowledge.lists.get(institution.lists.get(claims.list));
  const status = checkStatus(list, claims.index, now, policy);
  const shown = { name: claims.name, esi: claims.esi?.text ?? null, level: claims.level };
  checkService(institution, "EuropeanStudentCard", shown, policy);
  if (isLive) await remember(code, memory);
  return {
    escn: code.escn,
    pic,
    ...shown,
    profile: claims.esi === null ? "status" : "identity",
    evidence: isLive ? "live" : "static",
    ...status,
  };
}
