// Issue, present or verify an SD-JWT VC with @sd-jwt/sd-jwt-vc, by the first argument.
import { createHash, randomBytes } from "node:crypto";
import { SDJwtVcInstance } from "@sd-jwt/sd-jwt-vc";
import * as jose from "jose";
import { answer, input } from "./json_lines.mjs";

const request = await input();

async function signerOf(jwk) {
  const key = await jose.importJWK(jwk, "ES256");
  return async (data) => {
    const { subtle } = globalThis.crypto;
    const algorithm = { name: "ECDSA", hash: "SHA-256" };
    const signature = await subtle.sign(algorithm, key, new TextEncoder().encode(data));
    return jose.base64url.encode(new Uint8Array(signature));
  };
}

async function isSigned(data, signature, jwk) {
  const key = await jose.importJWK(jwk, "ES256");
  return globalThis.crypto.subtle.verify(
    { name: "ECDSA", hash: "SHA-256" },
    key,
    jose.base64url.decode(signature),
    new TextEncoder().encode(data),
  );
}

const common = {
  hasher: (data, algorithm) => createHash(algorithm.replace("-", "")).update(data).digest(),
  hashAlg: "sha-256",
  saltGenerator: async (length) => randomBytes(length).toString("base64url"),
};

const commands = {
  async issue({ issuer_jwk, kid, payload, disclosable }) {
    const issuer = new SDJwtVcInstance({
      ...common,
      signer: await signerOf(issuer_jwk),
      signAlg: "ES256",
    });
    const credential = await issuer.issue(payload, { _sd: disclosable }, { header: { kid } });
    return { credential };
  },

  async present({ credential, disclose, holder_jwk, audience, nonce }) {
    const holder = new SDJwtVcInstance({
      ...common,
      kbSigner: await signerOf(holder_jwk),
      kbSignAlg: "ES256",
    });
    const iat = Math.floor(Date.now() / 1000);
    const frame = Object.fromEntries(disclose.map((name) => [name, true]));
    const kb = { payload: { iat, aud: audience, nonce } };
    return { presentation: await holder.present(credential, frame, { kb }) };
  },

  async verify({ credential, issuer_jwk, status_lists }) {
    const verifier = new SDJwtVcInstance({
      ...common,
      verifier: (data, signature) => isSigned(data, signature, issuer_jwk),
      statusListFetcher: async (uri) => status_lists[uri],
    });
    try {
      const { payload, header } = await verifier.verify(credential);
      return { valid: true, payload, header };
    } catch (error) {
      return { valid: false, reason: String(error.message) };
    }
  },
};

answer(await commands[process.argv[2]](request));
