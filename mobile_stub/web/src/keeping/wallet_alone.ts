/** What the wallet does by itself, without asking the service: keeping, showing, answering, remembering. */

import type { AskedPresentation, Enrolment, Profile, Showing, WalletCard } from "../model.ts";
import type { Changes } from "../store/changes.ts";
import type { Database } from "../store/database.ts";
import { hadCards, unmarkCards } from "../store/marker.ts";
import type { CardRecord } from "../store/records.ts";
import { answerWith, askedOf } from "./answering.ts";
import { dropAnyLink, dropOldLink, keepLink, keptLink } from "./kept_offer.ts";
import { recordOf, recordsOf, viewsOf } from "./kept_cards.ts";
import { liveCodeOf } from "./showing.ts";
import { keepShowing } from "./shown.ts";
import { enrolmentView } from "./views.ts";

const LAST_CARD = "last-card"; // among the settings

export class WalletAlone {
  protected readonly database: Database;
  protected readonly changes: Changes;

  constructor(database: Database, changes: Changes) {
    this.database = database;
    this.changes = changes;
  }

  async cards(): Promise<WalletCard[]> {
    return viewsOf(this.database);
  }

  async unfinished(): Promise<Enrolment[]> {
    const records = await this.database.read((transaction) => transaction.objectStore("enrolments").getAll());
    return records.map(enrolmentView);
  }

  async keepOffer(link: string | null): Promise<void> {
    await (link === null ? dropAnyLink(this.database) : keepLink(this.database, link, now()));
    this.changes.tell();
  }

  async keptOffer(): Promise<string | null> {
    const at = now();
    const { link, isOld } = await keptLink(this.database, at);
    if (isOld) {
      await dropOldLink(this.database, at);
      this.changes.tell();
    }
    return link;
  }

  watch(changed: () => void): () => void {
    return this.changes.watch(changed);
  }

  async liveCode(cardId: string, profile: Profile, challenge?: Uint8Array): Promise<string | null> {
    const shown = challenge === undefined ? { at: now() } : { at: now(), challenge };
    return liveCodeOf(this.database, cardId, profile, shown);
  }

  async noteShowing(cardId: string, profile: Profile): Promise<void> {
    await this.#note({ cardId, profile, at: now() });
  }

  async #note(showing: Showing): Promise<void> {
    await keepShowing(this.database, showing);
    this.changes.tell();
  }

  async showings(): Promise<Showing[]> {
    return this.database.read((transaction) => transaction.objectStore("showings").getAll());
  }

  async deleteShowings(): Promise<void> {
    await this.database.write((transaction) => transaction.objectStore("showings").clear());
    this.changes.tell();
  }

  async readRequest(text: string): Promise<AskedPresentation> {
    return askedOf(await recordsOf(this.database), text, now());
  }

  async present(cardId: string, request: string, agreed: readonly string[]): Promise<string[]> {
    const at = now();
    const asked = { request, agreed, now: at };
    const { parts, to, claims } = await answerWith(this.database, await this.record(cardId), asked);
    await this.#note({ cardId, profile: "answer", at, told: { to, claims } });
    return parts;
  }

  async dismissNotices(cardId: string): Promise<void> {
    await this.database.write(async (transaction) => {
      const cards = transaction.objectStore("cards");
      const card = await cards.get(cardId);
      if (card !== undefined) await cards.put({ ...card, notices: [] });
    });
    this.changes.tell();
  }

  async storage(): Promise<{ persisted: boolean; lost: boolean }> {
    const count = await this.database.read((transaction) => transaction.objectStore("cards").count());
    return { persisted: await navigator.storage.persisted(), lost: count === 0 && hadCards() };
  }

  admitLoss(): void {
    unmarkCards();
  }

  async setting(name: string): Promise<string | null> {
    return (await this.database.read((transaction) => transaction.objectStore("settings").get(name))) ?? null;
  }

  async keepSetting(name: string, value: string | null): Promise<void> {
    await this.database.write(async (transaction) => {
      const settings = transaction.objectStore("settings");
      await (value === null ? settings.delete(name) : settings.put(value, name));
    });
    this.changes.tell();
  }

  async keepLast(cardId: string): Promise<void> {
    await this.database.write(async (transaction) => {
      if ((await transaction.objectStore("cards").getKey(cardId)) === undefined) return;
      await transaction.objectStore("settings").put(cardId, LAST_CARD);
    });
  }

  async lastCard(): Promise<string | null> {
    return this.setting(LAST_CARD);
  }

  protected async record(cardId: string): Promise<CardRecord> {
    return recordOf(this.database, cardId);
  }
}

/** The time, in whole seconds. */
export function now(): number {
  return Math.floor(Date.now() / 1000);
}
