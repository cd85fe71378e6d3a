/** Asking the worker what code a picture holds. */

interface Reply {
  readonly number: number;
  readonly text: string | null;
}

export class CodeReader {
  readonly #worker = new Worker(new URL("./reading_worker.ts", import.meta.url), { type: "module" });
  readonly #waiting = new Map<number, (text: string | null) => void>();
  #last = 0;

  constructor() {
    this.#worker.onmessage = ({ data: { number, text } }: MessageEvent<Reply>) => {
      this.#waiting.get(number)?.(text);
      this.#waiting.delete(number);
    };
  }

  /** The text of a code in the picture, or null. The picture's memory is handed over. */
  read(picture: ImageData): Promise<string | null> {
    this.#last += 1;
    const number = this.#last;
    return new Promise((resolve) => {
      this.#waiting.set(number, resolve);
      this.#worker.postMessage({ number, picture }, [picture.data.buffer]);
    });
  }
}

const MAX_PIXELS = 4096; // a side; a photo of a modern phone has about that

/** What a picture's file shows; null when it is no picture. */
export async function pictureOf(file: Blob): Promise<ImageData | null> {
  try {
    const bitmap = await createImageBitmap(file);
    const scale = Math.min(1, MAX_PIXELS / Math.max(bitmap.width, bitmap.height));
    const [width, height] = [Math.ceil(bitmap.width * scale), Math.ceil(bitmap.height * scale)];
    return pixelsOf(bitmap, width, height, document.createElement("canvas"));
  } catch (error) {
    if (error instanceof DOMException) return null;
    throw error;
  }
}

/** The pixels of what is drawn on the canvas. */
export function pixelsOf(
  source: CanvasImageSource,
  width: number,
  height: number,
  canvas: HTMLCanvasElement,
): ImageData {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) throw new DOMException("no canvas", "InvalidStateError");
  context.drawImage(source, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}
