/** Python beside us: the verifier, to which our codes must make sense. */

import { spawnSync } from "node:child_process";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "../../..");
export const PYTHON = process.env["ESC_PYTHON"] ?? join(ROOT, ".venv/bin/python");

/** Runs a script with this as its standard input; returns what it prints. */
export function runPython(script: string, input: string): string {
  const done = spawnSync(PYTHON, ["-c", script], { cwd: ROOT, encoding: "utf8", input });
  if (done.status !== 0) throw new Error(done.stderr);
  return done.stdout;
}
