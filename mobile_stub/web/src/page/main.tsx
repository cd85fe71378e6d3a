/** Starts the wallet. */

import { render } from "preact";

import { openWallet } from "../keeping/wallet.ts";
import { WalletRefusal } from "../model.ts";
import { App, readOpening } from "./app.tsx";
import { listenToInstallOffer } from "./install.tsx";
import { languageOf } from "./languages.ts";
import { takeOfferFromAddress } from "./routing.ts";

async function start(): Promise<void> {
  // Without https there is no WebCrypto.
  if (!isSecureContext) {
    sayInstead("insecure");
    return;
  }
  listenToInstallOffer();
  const offer = takeOfferFromAddress();
  try {
    const wallet = await openWallet();
    const opening = await readOpening(wallet, offer);
    render(<App wallet={wallet} opening={opening} />, document.body);
    document.documentElement.dataset["ready"] = "yes";
  } catch (error) {
    if (!(error instanceof WalletRefusal)) throw error;
    sayInstead("storage_failed");
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

void start();
