// One JSON object in, one out: how the Python tests talk to these scripts.
import { text } from "node:stream/consumers";

export async function input() {
  return JSON.parse(await text(process.stdin));
}

export function answer(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
