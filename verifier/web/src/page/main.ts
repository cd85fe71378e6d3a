/** Starts the page. */

import { Database, StorageError } from "./database.ts";
import { h } from "./dom.ts";
import { languageOf } from "./languages.ts";
import { Page } from "./page.ts";
import { loadSettings } from "./settings.ts";

async function start(): Promise<void> {
  // Without https there is neither WebCrypto nor a camera.
  if (!isSecureContext) {
    sayInstead("insecure");
    return;
  }
  try {
    const database = await Database.open();
    await new Page(database, await loadSettings(database)).open();
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    sayInstead("storage_failed");
  }
}

/** One sentence in the place of the page. */
function sayInstead(key: string): void {
  document.body.replaceChildren(h("p", { class: "message", role: "alert" }, languageOf(null).word(key)));
}

// A fault of ours: what is on the screen may be wrong, so it goes.
for (const kind of ["error", "unhandledrejection"]) {
  window.addEventListener(kind, () => {
    sayInstead("fault");
  });
}

if ("serviceWorker" in navigator) void navigator.serviceWorker.register("./sw.js");
void start();
