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

/** The text of the code in a picture (PNG), read by another program than ours. */
export function readPicture(picture: Buffer): string {
  const script = `
import io, sys, zxingcpp
from PIL import Image
print(zxingcpp.read_barcodes(Image.open(io.BytesIO(sys.stdin.buffer.read())))[0].text)`;
  const done = spawnSync(PYTHON, ["-c", script], { input: picture });
  if (done.status !== 0) throw new Error(done.stderr.toString());
  return done.stdout.toString().trim();
}
