/**
 * A mark outside IndexedDB that cards existed: when IndexedDB was emptied without being asked, the
 * student is told so instead of being shown an empty wallet. Nothing of the cards is in it.
 */

const NAME = "esc-wallet-had-cards";

/** Pages have it, service workers have not. */
function marks(): Storage | null {
  try {
    return (globalThis as { localStorage?: Storage }).localStorage ?? null;
  } catch {
    return null; // storage is forbidden here: then there are no cards either
  }
}

export function markCards(): void {
  try {
    marks()?.setItem(NAME, "1");
  } catch {
    return; // full: the mark is a help, not a need
  }
}

export function unmarkCards(): void {
  marks()?.removeItem(NAME);
}

export function hadCards(): boolean {
  return marks()?.getItem(NAME) === "1";
}
