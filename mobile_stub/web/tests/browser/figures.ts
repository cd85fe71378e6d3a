/** Figures measured by the tests, in a file outside of the repository (`ESC_FIGURES`). */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const FILE = process.env["ESC_FIGURES"] ?? join(tmpdir(), "esc-wallet-figures.json");

export function noteFigure(name: string, value: number): void {
  const known = existsSync(FILE) ? (JSON.parse(readFileSync(FILE, "utf8")) as Record<string, number>) : {};
  writeFileSync(FILE, JSON.stringify({ ...known, [name]: Math.round(value * 100) / 100 }, null, 1));
}
