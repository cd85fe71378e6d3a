/** The wallet as the screens use it; here is what it asks the service, `wallet_alone.ts` has the rest. */

import {
  WalletRefusal,
  type Crop,
  type DeviceOfCard,
  type Enrolment,
  type Passes,
  type PassKind,
  type Wallet,
  type WalletCard,
} from "../model.ts";
import { watchPolicy } from "../protocol/network.ts";
import { Changes } from "../store/changes.ts";
import { Database } from "../store/database.ts";
import { markCards } from "../store/marker.ts";
import { addCard, removeCard } from "./cards.ts";
import { DeviceWishes } from "./device_wishes.ts";
import { Enrolling } from "./enrolling.ts";
import { viewOf } from "./kept_cards.ts";
import { endQuietly, leaveBrowser } from "./leaving.ts";
import { inTurn, unlessBusy } from "./locks.ts";
import { Refreshing } from "./refreshing.ts";
import { enrolmentView } from "./views.ts";
import { now, WalletAlone } from "./wallet_alone.ts";

/** Opens what this browser keeps. */
export async function openWallet(): Promise<Wallet> {
  watchPolicy();
  return new OpenWallet(await Database.open(), new Changes());
}

class OpenWallet extends WalletAlone implements Wallet {
  readonly #enrolling: Enrolling;
  readonly #refreshing: Refreshing;
  readonly #wishes: DeviceWishes;

  constructor(database: Database, changes: Changes) {
    super(database, changes);
    this.#enrolling = new Enrolling(database, now, () => {
      changes.tell();
    });
    this.#refreshing = new Refreshing(database, now);
    this.#wishes = new DeviceWishes(database, now);
  }

  async beginEnrolment(offer: string): Promise<Enrolment> {
    const record = await inTurn("begin", () => this.#enrolling.begin(offer.trim()));
    this.changes.tell();
    return enrolmentView(record);
  }

  async goOn(enrolmentId: string, txCode: string | null): Promise<WalletCard> {
    try {
      return await unlessBusy(`enrolment:${enrolmentId}`, () => this.#take(enrolmentId, txCode));
    } finally {
      this.changes.tell();
    }
  }

  async #take(enrolmentId: string, txCode: string | null): Promise<WalletCard> {
    const record = await this.#enrolling.complete(enrolmentId, txCode);
    const replaced = await addCard(this.database, record, now());
    markCards();
    void askToPersist();
    await this.#refreshQuietly(enrolmentId);
    for (const device of replaced) await endQuietly(device);
    return viewOf(this.database, enrolmentId);
  }

  async abandon(enrolmentId: string): Promise<void> {
    await unlessBusy(`enrolment:${enrolmentId}`, () => this.#enrolling.abandon(enrolmentId));
    this.changes.tell();
  }

  async refresh(cardId: string): Promise<WalletCard> {
    try {
      await inTurn(`card:${cardId}`, () => this.#refreshing.refresh(cardId));
      return await viewOf(this.database, cardId);
    } finally {
      this.changes.tell();
    }
  }

  async forget(cardId: string): Promise<{ readonly serviceKnows: boolean }> {
    const { device } = await this.record(cardId);
    const serviceKnows = device !== null && (await endQuietly(device));
    const left = await removeCard(this.database, cardId);
    if (left === 0) await leaveBrowser();
    this.changes.tell();
    return { serviceKnows };
  }

  async devices(cardId: string): Promise<{ atOnce: number; devices: DeviceOfCard[] }> {
    return this.#wishes.devices(await this.record(cardId));
  }

  async endDevice(cardId: string, deviceId: string): Promise<void> {
    await this.#wishes.endDevice(await this.record(cardId), deviceId);
  }

  async nameDevice(cardId: string, name: string): Promise<void> {
    await this.#wishes.nameDevice(await this.record(cardId), name);
    await this.#refreshQuietly(cardId);
  }

  async consent(cardId: string): Promise<{ givenAt: number | null; shares: string[] }> {
    return this.#wishes.consent(await this.record(cardId));
  }

  async giveConsent(cardId: string): Promise<void> {
    await this.#wishes.setConsent(await this.record(cardId), true);
    await this.#refreshQuietly(cardId);
  }

  async withdrawConsent(cardId: string): Promise<void> {
    await this.#wishes.setConsent(await this.record(cardId), false);
    await this.#refreshQuietly(cardId);
  }

  async previewPhoto(cardId: string, file: Blob, crop?: Crop): Promise<Blob> {
    return this.#wishes.previewPhoto(await this.record(cardId), file, crop);
  }

  async sendPhoto(cardId: string, file: Blob, crop?: Crop): Promise<void> {
    await this.#wishes.sendPhoto(await this.record(cardId), file, crop);
    await this.#refreshQuietly(cardId);
  }

  async takeBackPhoto(cardId: string): Promise<void> {
    await this.#wishes.takeBackPhoto(await this.record(cardId));
    await this.#refreshQuietly(cardId);
  }

  async passes(cardId: string): Promise<Passes> {
    return this.#wishes.passes(await this.record(cardId));
  }

  async applePass(cardId: string): Promise<Blob> {
    return this.#wishes.applePass(await this.record(cardId));
  }

  async googleSaveLink(cardId: string): Promise<string> {
    return this.#wishes.googleSaveLink(await this.record(cardId));
  }

  async takeBackPass(cardId: string, kind: PassKind): Promise<void> {
    await this.#wishes.takeBackPass(await this.record(cardId), kind);
  }

  async followByPush(cardId: string): Promise<boolean> {
    const registration = await navigator.serviceWorker.getRegistration();
    const push = registration?.pushManager;
    return push === undefined ? false : this.#wishes.followByPush(await this.record(cardId), push);
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

/** Some browsers ask the student, some answer by themselves; workers cannot ask. */
async function askToPersist(): Promise<void> {
  const storage = navigator.storage as { persist?: () => Promise<boolean> };
  await storage.persist?.().catch(() => false);
}
