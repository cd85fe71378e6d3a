/** What a camera sees: a screen with a code, or a code that no screen has drawn. */

import { correction, generate } from "lean-qr";
import type { Page } from "playwright-core";

import { HEIGHT, WIDTH, writeVideo } from "../../../../verifier/web/tests/browser/video.ts";

/** What a camera would see of this page's code, for as long as the film is played. */
export async function filmOfCode(page: Page, path: string): Promise<void> {
  const picture = await page.locator(".code-box").screenshot();
  writeVideo(path, [await greyFrame(page, picture)]);
}

/** The picture in the middle of a grey frame of the camera's size. */
export async function greyFrame(page: Page, picture: Buffer): Promise<Uint8Array> {
  const blank = await page.context().newPage();
  const grey = await blank.evaluate(
    async ({ png, width, height }) => {
      const image = new Image();
      image.src = `data:image/png;base64,${png}`;
      await image.decode();
      const canvas = new OffscreenCanvas(width, height);
      const context = canvas.getContext("2d");
      if (context === null) throw new Error("no canvas");
      context.fillStyle = "#888";
      context.fillRect(0, 0, width, height);
      const side = height * 0.9;
      const across = (side * image.width) / image.height;
      context.drawImage(image, (width - across) / 2, (height - side) / 2, across, side);
      const { data } = context.getImageData(0, 0, width, height);
      let text = "";
      for (let i = 0; i < data.length; i += 4) text += String.fromCharCode(data[i] ?? 0);
      return btoa(text);
    },
    { png: picture.toString("base64"), width: WIDTH, height: HEIGHT },
  );
  await blank.close();
  return Buffer.from(grey, "base64");
}

/** A film of a code that was drawn by no screen. */
export function filmOf(text: string, path: string): void {
  const modules = generate(text, { minCorrectionLevel: correction.M });
  const scale = Math.floor((HEIGHT * 0.8) / (modules.size + 8));
  const side = modules.size * scale;
  const frame = new Uint8Array(WIDTH * HEIGHT).fill(235);
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      const at = (y + Math.floor((HEIGHT - side) / 2)) * WIDTH + x + Math.floor((WIDTH - side) / 2);
      if (modules.get(Math.floor(x / scale), Math.floor(y / scale))) frame[at] = 20;
    }
  }
  writeVideo(path, [frame]);
}
