/** Offers: every broken one by its own refusal, and no request because of any. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { WalletRefusal } from "../src/model.ts";
import { parseAddress, parseEndpoint, wellKnownAddress } from "../src/protocol/addresses.ts";
import { checkTxCode, GRANT_TYPE, parseLink, parseOffer } from "../src/protocol/offers.ts";

const ISSUER = "https://wallet.example/999900001";
const OFFER = {
  credential_issuer: ISSUER,
  credential_configuration_ids: ["EuropeanStudentCard", "EuropeanStudentCardQr"],
  grants: { [GRANT_TYPE]: { "pre-authorized_code": "abc", tx_code: { input_mode: "numeric", length: 6 } } },
};
const VALUE = encodeURIComponent(JSON.stringify(OFFER));
const REFERENCE = encodeURIComponent(`${ISSUER}/offers/${"r".repeat(43)}`);

/** The refusal's name, or "none". */
function refusalOf(work: () => unknown): string {
  try {
    work();
    return "none";
  } catch (error) {
    if (error instanceof WalletRefusal) return error.refusal;
    throw error;
  }
}

function offer(changes: object, grant: object = {}): string {
  const grants = { [GRANT_TYPE]: { ...OFFER.grants[GRANT_TYPE], ...grant } };
  return JSON.stringify({ ...OFFER, grants, ...changes });
}

describe("a link", () => {
  test.each([
    ["", "offer-malformed"],
    ["hello", "offer-malformed"],
    ["https://esc.gg/d6a1e2f0-9c3b-11f0-8a5e-001999800001", "offer-malformed"],
    ["https://wallet.example/#", "offer-malformed"],
    [`javascript:credential_offer=${VALUE}`, "offer-malformed"],
    [`mailto:a@b.example?credential_offer=${VALUE}`, "offer-malformed"],
    [`openid-credential-offer://?credential_offer=${VALUE}&credential_offer_uri=x`, "offer-malformed"],
    [`openid-credential-offer://?credential_offer=${VALUE}&credential_offer=${VALUE}`, "offer-malformed"],
    [`openid-credential-offer://?credential_offers=${VALUE}`, "offer-malformed"],
    [`openid-credential-offer://?credential_offer=%GG${VALUE}`, "offer-malformed"],
    [`openid-credential-offer://?credential_offer=${"a".repeat(65_536)}`, "offer-malformed"],
    ["openid-credential-offer://?credential_offer_u", "offer-cut"],
    ["openid-credential-offer://?credential_off", "offer-cut"],
    ["https://wallet.example/#c", "offer-cut"],
    ["openid-credential-offer://?credential_offer=", "offer-cut"],
    ["openid-credential-offer://?credential_offer_uri=", "offer-cut"],
    ["https://wallet.example/#credential_offer_uri=https%3A%2", "offer-cut"],
    ["https://wallet.example/#credential_offer_uri=https%", "offer-cut"],
  ])("%s is refused", (link, refusal) => {
    expect(refusalOf(() => parseLink(link))).toBe(refusal);
  });

  test.each([
    `openid-credential-offer://?credential_offer=${VALUE}`,
    `haip-vci://?credential_offer=${VALUE}`,
    `https://wallet.example/#credential_offer=${VALUE}`,
    `https://wallet.example/?credential_offer=${VALUE}`,
    `https://wallet.example/#openid-credential-offer://?credential_offer=${VALUE}`,
    `  openid-credential-offer://?credential_offer=${VALUE.slice(0, 76)}\r\n${VALUE.slice(76)} \n`,
  ])("holds an offer by value: %#", (link) => {
    expect(parseLink(link)).toEqual({ value: JSON.stringify(OFFER) });
  });

  test.each(["openid-credential-offer://?", "https://wallet.example/#", "https://wallet.example/?"])(
    "names an offer by reference: %s",
    (beginning) => {
      const link = `${beginning}credential_offer_uri=${REFERENCE}`;
      expect(parseLink(link)).toEqual({ reference: decodeURIComponent(REFERENCE) });
    },
  );

  test("cut anywhere by a mail client is said to be cut or malformed, never taken as another offer", () => {
    const link = `https://wallet.example/#credential_offer=${VALUE}`;
    for (let end = link.indexOf("#") + 1; end < link.length; end += 1) {
      const refusal = refusalOf(() => {
        const found = parseLink(link.slice(0, end));
        parseOffer("value" in found ? found.value : "");
      });
      expect(["offer-cut", "offer-malformed"]).toContain(refusal);
      if (end > link.indexOf("=") + 3) expect(refusal).toBe("offer-cut");
    }
  });

  test.each(["h", "https:", "https://", "https://cards.exam", "https://cards.example/"])(
    "with an address that ends before its path has begun is cut: %s",
    (reference) => {
      const link = `https://wallet.example/#credential_offer_uri=${encodeURIComponent(reference)}`;
      expect(refusalOf(() => parseLink(link))).toBe("offer-cut");
    },
  );

  test("of garbage ends in a refusal of ours", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.webUrl(), (text, url) => {
        refusalOf(() => parseLink(text));
        refusalOf(() => parseLink(`${url}#credential_offer=${text}`));
        refusalOf(() => parseOffer(text));
      }),
    );
  });
});

describe("an offer", () => {
  test.each([
    ["[]", "offer-malformed"],
    ["null", "offer-malformed"],
    [JSON.stringify(OFFER).slice(0, -9), "offer-cut"],
    [offer({ grants: {} }), "offer-malformed"],
    [offer({ grants: { authorization_code: {} } }), "offer-malformed"],
    [offer({}, { "pre-authorized_code": "" }), "offer-malformed"],
    [offer({}, { "pre-authorized_code": 1 }), "offer-malformed"],
    [offer({}, { tx_code: "yes" }), "offer-malformed"],
    [offer({}, { tx_code: { length: "6" } }), "offer-malformed"],
    [offer({ credential_configuration_ids: [] }), "offer-malformed"],
    [offer({ credential_configuration_ids: ["a", "a"] }), "offer-malformed"],
    [offer({ credential_configuration_ids: ["a", 1] }), "offer-malformed"],
    [offer({ credential_configuration_ids: Array.from({ length: 21 }, String) }), "offer-malformed"],
    [offer({ credential_issuer: "http://wallet.example/1" }), "issuer-not-safe"],
    [offer({ credential_issuer: "https://user@wallet.example/1" }), "issuer-not-safe"],
    [offer({ credential_issuer: "https://wallet.example/1#x" }), "issuer-not-safe"],
    [offer({ credential_issuer: 7 }), "issuer-not-safe"],
    [offer({}, { authorization_server: "ftp://x.example" }), "issuer-not-safe"],
    [`{"grants":{},${offer({}).slice(1)}`, "offer-malformed"],
  ])("%s is refused", (text, refusal) => {
    expect(refusalOf(() => parseOffer(text))).toBe(refusal);
  });

  test("is read with what the phone needs of it", () => {
    expect(parseOffer(JSON.stringify(OFFER))).toEqual({
      credentialIssuer: ISSUER,
      configurationIds: ["EuropeanStudentCard", "EuropeanStudentCardQr"],
      preAuthorizedCode: "abc",
      txCode: { numeric: true, length: 6 },
      authorizationServer: null,
    });
    expect(parseOffer(offer({}, { tx_code: {} })).txCode).toEqual({ numeric: true, length: null });
    expect(parseOffer(offer({}, { tx_code: { input_mode: "text" } })).txCode?.numeric).toBe(false);
  });
});

describe("a transaction code", () => {
  const six = { numeric: true, length: 6 };

  test.each([null, "", "12345", "1234567", "12345a", "１２３４５６"])("%s costs no try", (given) => {
    expect(
      refusalOf(() => {
        checkTxCode(six, given);
      }),
    ).toBe("tx-code-wrong");
  });

  test("of the right form is sent, and none is asked for where the offer has none", () => {
    checkTxCode(six, "123456");
    checkTxCode({ numeric: false, length: null }, "any text");
    checkTxCode(null, null);
  });
});

describe("an address", () => {
  test.each([
    "",
    "wallet.example",
    "https:wallet.example",
    "//wallet.example",
    "http://wallet.example",
    "http://127.0.0.1.example/",
    "http://localhost.example/",
    "http://localhost@wallet.example/",
    "https://wallet.example\\@evil.example/",
    "https://wallet.example/a b",
    "https://wāllet.example/",
    "https://wallet.example/#a",
    "https://wallet.example:99999/",
    `https://wallet.example/${"a".repeat(2048)}`,
    "data:text/plain,a",
  ])("%s is not called", (address) => {
    expect(refusalOf(() => parseAddress(address))).toBe("issuer-not-safe");
  });

  test.each(["https://wallet.example/1", "http://localhost:8002/1", "http://127.0.0.1/", "http://[::1]:1/"])(
    "%s may be called",
    (address) => {
      expect(parseAddress(address)).toBe(address);
    },
  );

  test("by http is not taken below an issuer that is reached by https", () => {
    expect(refusalOf(() => parseEndpoint("http://127.0.0.1/token", ISSUER))).toBe("issuer-not-safe");
  });

  test("of a well-known document has its name between host and path", () => {
    expect(wellKnownAddress(`${ISSUER}/`, "x")).toBe("https://wallet.example/.well-known/x/999900001");
    expect(wellKnownAddress("https://wallet.example", "x")).toBe("https://wallet.example/.well-known/x");
  });
});
