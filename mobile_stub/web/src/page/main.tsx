/** Starts the wallet. */

import { render } from "preact";

import { openWallet } from "../keeping/wallet.ts";
import { WalletRefusal, type Wallet } from "../model.ts";
import { App, readOpening } from "./app.tsx";
import { listenToInstallOffer } from "./install.tsx";
import { languageOf } from "./languages.ts";
import { offerInAddress, wipeOfferFromAddress } from "./routing.ts";

async function start(): Promise<void> {
  // Without https there is no WebCrypto.
  if (!isSecureContext) {
    sayInstead("insecure");
    return;
  }
  listenToInstallOffer();
  const offer = offerInAddress();
  try {
    const wallet = await openWith(offer);
    const opening = await readOpening(wallet, offer);
    render(<App wallet={wallet} opening={opening} />, document.body);
    document.documentElement.dataset["ready"] = "yes";
  } catch (error) {
    if (!(error instanceof WalletRefusal)) throw error;
    sayInstead("storage_failed");
  }
}

/** The wallet, with the offer of the address bar kept before it is wiped from there. */
async function openWith(offer: string | null): Promise<Wallet> {
  try {
    const wallet = await openWallet();
    if (offer !== null) await keepIfRoom(wallet, offer);
    return wallet;
  } finally {
    if (offer !== null) wipeOfferFromAddress();
  }
}

/** Without room for it there is none for a card: that is said when the offer is read. */
async function keepIfRoom(wallet: Wallet, offer: string): Promise<void> {
  try {
    await wallet.keepOffer(offer);
  } catch (error) {
    if (!(error instanceof WalletRefusal)) throw error;
  }
}

/** One sentence in the place of the wallet. */
function sayInstead(key: string): void {
  render(
    <p class="message instead" role="alert">
      {languageOf(null).word(key)}
    </p>,
    document.body,
  );
}

// A fault of ours: what is on the screen may be wrong, so it goes. What was refused is no fault.
window.addEventListener("error", ({ error }) => {
  // Without an error it is a remark of the browser's own.
  if (error !== null && error !== undefined) sayInstead("fault");
});
window.addEventListener("unhandledrejection", ({ reason }) => {
  if (!(reason instanceof WalletRefusal)) sayInstead("fault");
});

// A link that is opened in a tab where the wallet is already: the page begins anew with it.
window.addEventListener("hashchange", () => {
  if (offerInAddress() !== null) location.reload();
});

void start();
