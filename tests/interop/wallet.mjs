// A wallet made of @openid4vc/openid4vci: offer, token, nonce, proof, credential.
// Standard input: {"offer": "openid-credential-offer://...", "tx_code": "493536"}.
import { createHash, randomBytes } from "node:crypto";
import { clientAuthenticationNone, setGlobalConfig } from "@openid4vc/oauth2";
import { Openid4vciClient } from "@openid4vc/openid4vci";
import * as jose from "jose";
import { answer, input } from "./json_lines.mjs";

setGlobalConfig({ allowInsecureUrls: true }); // the services are on loopback

const { offer, tx_code: txCode } = await input();
const keys = await jose.generateKeyPair("ES256", { extractable: true });
const publicJwk = await jose.exportJWK(keys.publicKey);

function unsupported() {
  throw new Error("not expected in this flow");
}

const client = new Openid4vciClient({
  callbacks: {
    fetch,
    hash: (data, algorithm) => createHash(algorithm.replace("-", "")).update(data).digest(),
    generateRandom: (length) => randomBytes(length),
    clientAuthentication: clientAuthenticationNone({ clientId: "interop-wallet" }),
    signJwt: async (signer, { header, payload }) => {
      const jwt = await new jose.SignJWT(payload).setProtectedHeader(header).sign(keys.privateKey);
      return { jwt, signerJwk: publicJwk };
    },
    verifyJwt: unsupported,
    encryptJwe: unsupported,
    decryptJwe: unsupported,
  },
});

const credentialOffer = await client.resolveCredentialOffer(offer);
const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer);
const { accessTokenResponse } = await client.retrievePreAuthorizedCodeAccessTokenFromOffer({
  credentialOffer,
  issuerMetadata,
  txCode,
});

const credentials = {};
for (const credentialConfigurationId of credentialOffer.credential_configuration_ids) {
  const { c_nonce: nonce } = await client.requestNonce({ issuerMetadata });
  const { jwt } = await client.createCredentialRequestJwtProof({
    issuerMetadata,
    credentialConfigurationId,
    nonce,
    signer: { method: "jwk", alg: "ES256", publicJwk },
  });
  const { credentialResponse } = await client.retrieveCredentials({
    accessToken: accessTokenResponse.access_token,
    issuerMetadata,
    credentialConfigurationId,
    proofs: { jwt: [jwt] },
  });
  credentials[credentialConfigurationId] = credentialResponse.credentials[0].credential;
}

answer({
  version: issuerMetadata.originalDraftVersion,
  credentials,
  private_jwk: await jose.exportJWK(keys.privateKey),
});
