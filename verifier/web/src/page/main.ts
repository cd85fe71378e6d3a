/** Starts the page. */

import { Database, StorageError } from "./database.ts";
import { h } from "./dom.ts";
import { languageOf } from "./languages.ts";
import { Page } from "./page.ts";
import { loadSettings } from "./settings.ts";

async function start(): Promise<void> {
  try {
    const database = await Database.open();
    await new Page(database, await loadSettings(database)).open();
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    document.body.append(
      h("p", { class: "message", role: "alert" }, languageOf(null).word("storage_failed")),
    );
  }
}

if ("serviceWorker" in navigator) void navigator.serviceWorker.register("./sw.js");
void start();
