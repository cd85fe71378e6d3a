/** The services as a test sees them: institutions, cards, staff who act, the wire to the phones. */

import { inject } from "vitest";

import { Wire } from "./wire.ts";

export interface Institution {
  readonly pic: string;
  readonly name: string;
  readonly staff_key: string;
  readonly cards: readonly { readonly escn: string; readonly name: string }[];
}
/** A student's card, and who has issued it. */
export interface Subject {
  readonly institution: Institution;
  readonly escn: string;
  readonly name: string;
}
/** What the deployment says of itself. */
export interface Told {
  readonly issuer: string;
  readonly wallet: string;
  /** Where each file of tests lays its wire to the wallet API: phones know no other address. */
  readonly wire: string;
  readonly page: string;
  /** The same for issuers of another name only. */
  readonly strict_page: string;
  readonly scanner: string;
  /** The national centre that issues for the second of them. */
  readonly centre: string;
  readonly institutions: readonly Institution[];
  readonly anchor: Readonly<Record<string, string>>;
}
export interface Offer {
  readonly credential_offer: string;
  readonly credential_offer_uri: string;
  readonly tx_code: string;
}

export class Services {
  readonly wire: Wire;
  readonly told: Told;
  /** Where the wallet's page is. */
  readonly page: string;

  private constructor(wire: Wire, told: Told) {
    [this.wire, this.told, this.page] = [wire, told, told.page];
  }

  static async reach(): Promise<Services> {
    const told = inject("told");
    return new Services(await Wire.lay(told.wire, told.wallet), told);
  }

  /** One of an institution's cards. */
  card(institution: number, index: number): Subject {
    const found = this.told.institutions[institution];
    const card = found?.cards[index];
    if (found === undefined || card === undefined) throw new Error("there is no such card");
    return { institution: found, ...card };
  }

  async offer({ institution, escn }: Subject): Promise<Offer> {
    return (await this.staff(institution, "POST", `cards/${escn}/offers`, {}, this.told.wallet)) as Offer;
  }

  /** As a mail to the student has it: a link to the wallet. */
  link(offer: Offer): string {
    return `${this.page}/${new URL(offer.credential_offer_uri).search.replace("?", "#")}`;
  }

  /** What staff do to a card: suspend, reinstate, revoke. */
  async change(action: string, { institution, escn }: Subject, reason = "a test"): Promise<void> {
    const body = action === "reinstate" ? {} : { reason };
    await this.staff(institution, "POST", `cards/${escn}/${action}`, body);
  }

  /** Approves every photo that waits at an institution. */
  async approvePhotos({ institution }: Subject): Promise<void> {
    const { items } = (await this.staff(institution, "GET", "photos?state=waiting")) as {
      readonly items: readonly { readonly id: number }[];
    };
    for (const { id } of items) await this.staff(institution, "POST", `photos/${id}/approve`);
  }

  /** As time would: every phone is told to renew its credentials. */
  async makeRenewalsDue(): Promise<void> {
    await this.#order("renewal");
  }

  /** As time would: the card's last day was yesterday. */
  async endYesterday({ escn }: Subject): Promise<void> {
    await this.#order(`end%20${escn}`);
  }

  async #order(line: string): Promise<void> {
    const { ok } = await fetch(`${inject("orders")}/${line}`);
    if (!ok) throw new Error(`not done: ${line}`);
  }

  async staff(
    { staff_key: key }: Institution,
    method: string,
    path: string,
    body?: object,
    at = this.told.issuer,
  ): Promise<unknown> {
    const type: Record<string, string> = body === undefined ? {} : { "content-type": "application/json" };
    const answer = await fetch(`${at}/api/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, ...type },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === "" ? null : JSON.parse(text);
  }

  async stop(): Promise<void> {
    await this.wire.stop();
  }
}
