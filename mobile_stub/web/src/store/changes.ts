/** Tells every tab, and the service worker, that something kept has changed; nothing else is said. */

const NAME = "esc-wallet";

export class Changes {
  readonly #channel = new BroadcastChannel(NAME);
  readonly #watching = new Set<() => void>();

  constructor() {
    this.#channel.onmessage = () => {
      this.#tellHere();
    };
  }

  watch(changed: () => void): () => void {
    this.#watching.add(changed);
    return () => this.#watching.delete(changed);
  }

  tell(): void {
    this.#channel.postMessage(null);
    this.#tellHere();
  }

  close(): void {
    this.#channel.close();
  }

  #tellHere(): void {
    for (const changed of this.#watching) changed();
  }
}
