/** Reading the cards that are kept, the oldest first. */

import { WalletRefusal, type WalletCard } from "../model.ts";
import type { Database } from "../store/database.ts";
import type { CardRecord } from "../store/records.ts";
import { cardView } from "./views.ts";

export async function recordsOf(database: Database): Promise<CardRecord[]> {
  const cards = await database.read((transaction) => transaction.objectStore("cards").getAll());
  return cards.sort(byAge);
}

export async function recordOf(database: Database, cardId: string): Promise<CardRecord> {
  const card = await database.read((transaction) => transaction.objectStore("cards").get(cardId));
  if (card === undefined) throw new WalletRefusal("storage-lost");
  return card;
}

/** The cards with their pictures, as the screens see them. */
export async function viewsOf(database: Database): Promise<WalletCard[]> {
  return database.read(async (transaction) => {
    const cards = await transaction.objectStore("cards").getAll();
    const pictures = transaction.objectStore("pictures");
    const views = cards.sort(byAge).map(async (card) =>
      cardView(card, {
        logo: await pictures.get([card.id, "logo"]),
        photo: await pictures.get([card.id, "photo"]),
      }),
    );
    return Promise.all(views);
  });
}

export async function viewOf(database: Database, cardId: string): Promise<WalletCard> {
  const card = (await viewsOf(database)).find(({ id }) => id === cardId);
  if (card === undefined) throw new WalletRefusal("storage-lost");
  return card;
}

function byAge(one: CardRecord, other: CardRecord): number {
  return one.addedAt - other.addedAt;
}
