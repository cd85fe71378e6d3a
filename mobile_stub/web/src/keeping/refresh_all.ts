/** Asking about every card: by the page while it is open, by the service worker in between. */

import { WalletRefusal, type Wallet } from "../model.ts";

/**
 * Refreshes the cards that were not asked for within `pause` seconds; one that fails does not stop
 * the others, `failed` is told why.
 */
export async function refreshAll(
  wallet: Wallet,
  pause: number,
  failed: (refusal: WalletRefusal) => void,
): Promise<void> {
  await wallet.keptOffer(); // one that is too old goes, also where no page is open
  const now = Date.now() / 1000;
  for (const card of await wallet.cards()) {
    if (card.endedAs !== null || Math.abs(now - card.updatedAt) < pause) continue;
    try {
      await wallet.refresh(card.id);
    } catch (error) {
      if (!(error instanceof WalletRefusal)) throw error;
      failed(error);
    }
  }
}
