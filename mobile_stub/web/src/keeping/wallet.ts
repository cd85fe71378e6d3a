/** The wallet as the screens use it: cards, enrolments, codes, and what the service is asked. */

import {
  WalletRefusal,
  type AskedPresentation,
  type Crop,
  type DeviceOfCard,
  type Enrolment,
  type Passes,
  type PassKind,
  type Profile,
  type Showing,
  type Wallet,
  type WalletCard,
} from "../model.ts";
import { watchPolicy } from "../protocol/network.ts";
import { Changes } from "../store/changes.ts";
import { Database } from "../store/database.ts";
import { hadCards, markCards, unmarkCards } from "../store/marker.ts";
import type { CardRecord } from "../store/records.ts";
import { answerWith, askedOf } from "./answering.ts";
import { addCard, removeCard } from "./cards.ts";
import { DeviceWishes } from "./device_wishes.ts";
import { Enrolling } from "./enrolling.ts";
import { recordOf, recordsOf, viewOf, viewsOf } from "./kept_cards.ts";
import { endQuietly, leaveBrowser } from "./leaving.ts";
import { inTurn, unlessBusy } from "./locks.ts";
import { Refreshing } from "./refreshing.ts";
import { liveCodeOf } from "./showing.ts";
import { keepShowing } from "./shown.ts";
import { enrolmentView } from "./views.ts";

/** Opens what this browser keeps. */
export async function openWallet(): Promise<Wallet> {
  watchPolicy();
  return new OpenWallet(await Database.open(), new Changes());
}

class OpenWallet implements Wallet {
  readonly #database: Database;
  readonly #changes: Changes;
  readonly #enrolling: Enrolling;
  readonly #refreshing: Refreshing;
  readonly #wishes: DeviceWishes;

  constructor(database: Database, changes: Changes) {
    this.#database = database;
    this.#changes = changes;
    this.#enrolling = new Enrolling(database, now, () => {
      changes.tell();
    });
    this.#refreshing = new Refreshing(database, now);
    this.#wishes = new DeviceWishes(database, now);
  }

  async cards(): Promise<WalletCard[]> {
    return viewsOf(this.#database);
  }

  async unfinished(): Promise<Enrolment[]> {
    const records = await this.#database.read((transaction) =>
      transaction.objectStore("enrolments").getAll(),
    );
    return records.map(enrolmentView);
  }

  watch(changed: () => void): () => void {
    return this.#changes.watch(changed);
  }

  async beginEnrolment(offer: string): Promise<Enrolment> {
    const record = await inTurn("begin", () => this.#enrolling.begin(offer.trim()));
    this.#changes.tell();
    return enrolmentView(record);
  }

  async goOn(enrolmentId: string, txCode: string | null): Promise<WalletCard> {
    try {
      return await unlessBusy(`enrolment:${enrolmentId}`, () => this.#take(enrolmentId, txCode));
    } finally {
      this.#changes.tell();
    }
  }

  async #take(enrolmentId: string, txCode: string | null): Promise<WalletCard> {
    const record = await this.#enrolling.complete(enrolmentId, txCode);
    const replaced = await addCard(this.#database, record, now());
    markCards();
    void askToPersist();
    await this.#refreshQuietly(enrolmentId);
    for (const device of replaced) await endQuietly(device);
    return viewOf(this.#database, enrolmentId);
  }

  async abandon(enrolmentId: string): Promise<void> {
    await unlessBusy(`enrolment:${enrolmentId}`, () => this.#enrolling.abandon(enrolmentId));
    this.#changes.tell();
  }

  async liveCode(cardId: string, profile: Profile, challenge?: Uint8Array): Promise<string | null> {
    const shown = challenge === undefined ? { at: now() } : { at: now(), challenge };
    return liveCodeOf(this.#database, cardId, profile, shown);
  }

  async noteShowing(cardId: string, profile: Profile): Promise<void> {
    await this.#note({ cardId, profile, at: now() });
  }

  async #note(showing: Showing): Promise<void> {
    await keepShowing(this.#database, showing);
    this.#changes.tell();
  }

  async showings(): Promise<Showing[]> {
    return this.#database.read((transaction) => transaction.objectStore("showings").getAll());
  }

  async deleteShowings(): Promise<void> {
    await this.#database.write((transaction) => transaction.objectStore("showings").clear());
    this.#changes.tell();
  }

  async readRequest(text: string): Promise<AskedPresentation> {
    return askedOf(await recordsOf(this.#database), text, now());
  }

  async present(cardId: string, request: string, agreed: readonly string[]): Promise<string[]> {
    const at = now();
    const asked = { request, agreed, now: at };
    const { parts, to, claims } = await answerWith(this.#database, await this.#record(cardId), asked);
    await this.#note({ cardId, profile: "answer", at, told: { to, claims } });
    return parts;
  }

  async refresh(cardId: string): Promise<WalletCard> {
    try {
      await inTurn(`card:${cardId}`, () => this.#refreshing.refresh(cardId));
      return await viewOf(this.#database, cardId);
    } finally {
      this.#changes.tell();
    }
  }

  async dismissNotices(cardId: string): Promise<void> {
    await this.#database.write(async (transaction) => {
      const cards = transaction.objectStore("cards");
      const card = await cards.get(cardId);
      if (card !== undefined) await cards.put({ ...card, notices: [] });
    });
    this.#changes.tell();
  }

  async forget(cardId: string): Promise<{ readonly serviceKnows: boolean }> {
    const { device } = await this.#record(cardId);
    const serviceKnows = device !== null && (await endQuietly(device));
    const left = await removeCard(this.#database, cardId);
    if (left === 0) await leaveBrowser();
    this.#changes.tell();
    return { serviceKnows };
  }

  async devices(cardId: string): Promise<{ atOnce: number; devices: DeviceOfCard[] }> {
    return this.#wishes.devices(await this.#record(cardId));
  }

  async endDevice(cardId: string, deviceId: string): Promise<void> {
    await this.#wishes.endDevice(await this.#record(cardId), deviceId);
  }

  async nameDevice(cardId: string, name: string): Promise<void> {
    await this.#wishes.nameDevice(await this.#record(cardId), name);
    await this.#refreshQuietly(cardId);
  }

  async consent(cardId: string): Promise<{ givenAt: number | null; shares: string[] }> {
    return this.#wishes.consent(await this.#record(cardId));
  }

  async giveConsent(cardId: string): Promise<void> {
    await this.#wishes.setConsent(await this.#record(cardId), true);
    await this.#refreshQuietly(cardId);
  }

  async withdrawConsent(cardId: string): Promise<void> {
    await this.#wishes.setConsent(await this.#record(cardId), false);
    await this.#refreshQuietly(cardId);
  }

  async previewPhoto(cardId: string, file: Blob, crop?: Crop): Promise<Blob> {
    return this.#wishes.previewPhoto(await this.#record(cardId), file, crop);
  }

  async sendPhoto(cardId: string, file: Blob, crop?: Crop): Promise<void> {
    await this.#wishes.sendPhoto(await this.#record(cardId), file, crop);
    await this.#refreshQuietly(cardId);
  }

  async takeBackPhoto(cardId: string): Promise<void> {
    await this.#wishes.takeBackPhoto(await this.#record(cardId));
    await this.#refreshQuietly(cardId);
  }

  async passes(cardId: string): Promise<Passes> {
    return this.#wishes.passes(await this.#record(cardId));
  }

  async applePass(cardId: string): Promise<Blob> {
    return this.#wishes.applePass(await this.#record(cardId));
  }

  async googleSaveLink(cardId: string): Promise<string> {
    return this.#wishes.googleSaveLink(await this.#record(cardId));
  }

  async takeBackPass(cardId: string, kind: PassKind): Promise<void> {
    await this.#wishes.takeBackPass(await this.#record(cardId), kind);
  }

  async followByPush(cardId: string): Promise<boolean> {
    const registration = await navigator.serviceWorker.getRegistration();
    const push = registration?.pushManager;
    return push === undefined ? false : this.#wishes.followByPush(await this.#record(cardId), push);
  }

  async storage(): Promise<{ persisted: boolean; lost: boolean }> {
    const count = await this.#database.read((transaction) => transaction.objectStore("cards").count());
    return { persisted: await navigator.storage.persisted(), lost: count === 0 && hadCards() };
  }

  admitLoss(): void {
    unmarkCards();
  }

  async setting(name: string): Promise<string | null> {
    return (
      (await this.#database.read((transaction) => transaction.objectStore("settings").get(name))) ?? null
    );
  }

  async keepSetting(name: string, value: string | null): Promise<void> {
    await this.#database.write(async (transaction) => {
      const settings = transaction.objectStore("settings");
      await (value === null ? settings.delete(name) : settings.put(value, name));
    });
    this.#changes.tell();
  }

  async #record(cardId: string): Promise<CardRecord> {
    return recordOf(this.#database, cardId);
  }

  /** What the service says now; a card without it is a card too, and asked for again soon. */
  async #refreshQuietly(cardId: string): Promise<void> {
    try {
      await this.refresh(cardId);
    } catch (error) {
      if (!(error instanceof WalletRefusal) || error.refusal.startsWith("storage")) throw error;
    }
  }
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}

/** Some browsers ask the student, some answer by themselves; workers cannot ask. */
async function askToPersist(): Promise<void> {
  const storage = navigator.storage as { persist?: () => Promise<boolean> };
  await storage.persist?.().catch(() => false);
}
