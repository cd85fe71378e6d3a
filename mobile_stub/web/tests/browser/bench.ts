/** The wallet in a real browser without its screens: tests call it by name. */

import { openWallet } from "../../src/keeping/wallet.ts";
import { WalletRefusal, type Wallet } from "../../src/model.ts";

export type Outcome = { readonly value: unknown } | { readonly refusal: string; readonly values: object };

/** Calls the wallet; a refusal comes back as a value, anything else that is thrown is a fault. */
async function ask(name: keyof Wallet, ...words: unknown[]): Promise<Outcome> {
  const wallet = await opened;
  const callable = wallet as unknown as Record<string, (...words: unknown[]) => unknown>;
  try {
    return { value: await callable[name]?.(...words) };
  } catch (error) {
    if (error instanceof WalletRefusal) return { refusal: error.refusal, values: error.values };
    throw error;
  }
}

/** Sends a picture that this page painted, or bytes that are none, as the student's photo. */
async function sendPhoto(cardId: string, isPicture: boolean): Promise<Outcome> {
  const canvas = new OffscreenCanvas(400, 600);
  const context = canvas.getContext("2d");
  if (context !== null) context.fillStyle = "teal";
  context?.fillRect(0, 0, 400, 600);
  const file = isPicture ? await canvas.convertToBlob({ type: "image/jpeg" }) : new Blob(["no picture"]);
  return ask("sendPhoto", cardId, file);
}

/** Type and size of what is kept of the card's pictures. */
async function pictures(cardId: string): Promise<Record<string, [string, number] | null>> {
  const card = (await (await opened).cards()).find(({ id }) => id === cardId);
  const told = (blob: Blob | null | undefined): [string, number] | null =>
    blob === null || blob === undefined ? null : [blob.type, blob.size];
  return { photo: told(card?.photo), logo: told(card?.look.logo) };
}

const opened = openWallet();
const bench = { ask, sendPhoto, pictures, changes: 0 };
export type Bench = typeof bench;
Object.assign(globalThis, { bench });
(await opened).watch(() => (bench.changes += 1));
document.documentElement.dataset["ready"] = "";
