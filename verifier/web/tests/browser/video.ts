/** A camera's film of a QR code: tilted, dim, small, with the noise of a cheap sensor. */

import { writeFileSync } from "node:fs";

export const WIDTH = 1280;
export const HEIGHT = 720;

/** How the camera sees the code. */
export interface Sight {
  readonly modulePixels: number; // of the picture, a module
  readonly degrees?: number; // turned in the picture
  readonly tilt?: number; // how much smaller the far edge is, 0 to 0.5
  readonly white?: number; // how bright paper is, of 255
  readonly black?: number;
  readonly noise?: number; // standard deviation
}

/** The picture's brightness, row by row. */
export function frameOf(modules: readonly boolean[][], sight: Sight, seed = 1): Uint8Array {
  const { modulePixels, degrees = 0, tilt = 0, white = 235, black = 20, noise = 3 } = sight;
  const [sin, cos] = [Math.sin((degrees * Math.PI) / 180), Math.cos((degrees * Math.PI) / 180)];
  const size = modules.length;
  const random = randomFrom(seed);
  const frame = new Uint8Array(WIDTH * HEIGHT);
  for (let row = 0; row < HEIGHT; row += 1) {
    for (let column = 0; column < WIDTH; column += 1) {
      const [x, y] = [column - WIDTH / 2, row - HEIGHT / 2];
      // The far edge is up: lines come together there, and what is far is drawn smaller.
      const depth = 1 - (tilt * y) / (size * modulePixels);
      const [u, v] = [x * depth, y * depth];
      const across = (u * cos + v * sin) / modulePixels + size / 2;
      const down = (v * cos - u * sin) / modulePixels + size / 2;
      const isDark = modules[Math.floor(down)]?.[Math.floor(across)];
      const light = isDark === undefined ? (white + black) / 2 : isDark ? black : white;
      frame[row * WIDTH + column] = light + noise * (random() + random() + random() - 1.5) * 2;
    }
  }
  return frame;
}

/** Writes frames as an uncompressed film (YUV4MPEG2), which Chromium shows again and again. */
export function writeVideo(path: string, frames: readonly Uint8Array[]): void {
  const colourless = Buffer.alloc((WIDTH * HEIGHT) / 2, 128);
  const parts = frames.flatMap((frame) => [Buffer.from("FRAME\n"), frame, colourless]);
  writeFileSync(
    path,
    Buffer.concat([Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F10:1 Ip A1:1 C420jpeg\n`), ...parts]),
  );
}

/** A grey picture file that every browser reads (a 24-bit BMP). */
export function bitmapOf(frame: Uint8Array): Buffer {
  const head = Buffer.alloc(54);
  head.write("BM");
  head.writeUInt32LE(54 + frame.length * 3, 2);
  head.writeUInt32LE(54, 10);
  head.writeUInt32LE(40, 14);
  head.writeInt32LE(WIDTH, 18);
  head.writeInt32LE(-HEIGHT, 22);
  head.writeUInt16LE(1, 26);
  head.writeUInt16LE(24, 28);
  return Buffer.concat([
    head,
    Uint8Array.from({ length: frame.length * 3 }, (_, i) => frame[Math.floor(i / 3)] ?? 0),
  ]);
}

// The same noise from the same seed (mulberry32).
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}
