/** Figures measured by the tests, for `make bench`; the file is not part of the repository. */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const FILE = join(import.meta.dirname, "../figures.json");

export function noteFigure(name: string, value: number): void {
  const known = existsSync(FILE) ? (JSON.parse(readFileSync(FILE, "utf8")) as Record<string, number>) : {};
  writeFileSync(FILE, JSON.stringify({ ...known, [name]: Math.round(value * 100) / 100 }, null, 1));
}
