// Write or read a status list with @sd-jwt/jwt-status-list, by the first argument.
import { createHeaderAndPayload, getListFromStatusListJWT, StatusList } from "@sd-jwt/jwt-status-list";
import * as jose from "jose";
import { answer, input } from "./json_lines.mjs";

const request = await input();

const commands = {
  async write({ values, bits, uri, issuer_jwk, kid }) {
    const iat = Math.floor(Date.now() / 1000);
    const payload = { iss: uri, sub: uri, iat, exp: iat + 3600, ttl: 300 };
    const list = new StatusList(values, bits);
    const made = createHeaderAndPayload(list, payload, { alg: "ES256", kid });
    const key = await jose.importJWK(issuer_jwk, "ES256");
    return { token: await new jose.SignJWT(made.payload).setProtectedHeader(made.header).sign(key) };
  },

  async read({ token, indices }) {
    const list = getListFromStatusListJWT(token);
    return { bits: list.getBitsPerStatus(), values: indices.map((index) => list.getStatus(index)) };
  },
};

answer(await commands[process.argv[2]](request));
