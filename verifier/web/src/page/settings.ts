/** What a provider chooses on this device. */

import type { Database } from "./database.ts";

export interface Settings {
  readonly language: string | null; // null: what the browser asks for
  readonly service: string; // "", the name of a preset, or "own"
  readonly ownRules: string | null; // the file's text
  readonly audience: string; // who asks for presentations, as students read it; "" until somebody said
  readonly sounds: boolean;
  readonly vibration: boolean;
  readonly nextAfter: number; // seconds; 0 for never
}

const DEFAULTS: Settings = {
  language: null,
  service: "",
  ownRules: null,
  audience: "",
  sounds: true,
  vibration: true,
  nextAfter: 0,
};

export async function loadSettings(database: Database): Promise<Settings> {
  return { ...DEFAULTS, ...(await database.get<Partial<Settings>>("settings")) };
}

export async function saveSettings(database: Database, settings: Settings): Promise<void> {
  await database.put("settings", settings);
}
