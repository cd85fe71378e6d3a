/** Asking the worker what code a picture holds. */

type Reply = { readonly number: number } & ({ readonly text: string | null } | { readonly fault: string });

interface Waiting {
  readonly resolve: (text: string | null) => void;
  readonly reject: (error: ReaderError) => void;
}

/** No picture can be read at all: the reader itself does not load or run. */
export class ReaderError extends Error {
  constructor(fault: string) {
    super(`codes cannot be read: ${fault}`);
    this.name = "ReaderError";
  }
}

export class CodeReader {
  readonly #worker = new Worker(new URL("./reading_worker.ts", import.meta.url), { type: "module" });
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  constructor() {
    this.#worker.onmessage = ({ data }: MessageEvent<Reply>) => {
      const waiting = this.#waiting.get(data.number);
      this.#waiting.delete(data.number);
      if ("fault" in data) waiting?.reject(new ReaderError(data.fault));
      else waiting?.resolve(data.text);
    };
    this.#worker.onerror = ({ message }) => {
      for (const waiting of this.#waiting.values()) waiting.reject(new ReaderError(message));
      this.#waiting.clear();
    };
  }

  /** The text of a code in the picture, or null; `ReaderError`. The picture's memory is handed over. */
  read(picture: ImageData): Promise<string | null> {
    this.#last += 1;
    const number = this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject });
      this.#worker.postMessage({ number, picture }, [picture.data.buffer]);
    });
  }
}

/** The text of the code in a picture's file, or the key of the sentence that says why there is none. */
export async function codeIn(file: Blob, reader: CodeReader): Promise<{ text: string } | { fault: string }> {
  const picture = await pictureOf(file);
  if (picture === null) return { fault: "picture_unreadable" };
  try {
    const text = await reader.read(picture);
    return text === null ? { fault: "picture_without_code" } : { text };
  } catch (error) {
    if (error instanceof ReaderError) return { fault: "reader_failed" };
    throw error;
  }
}

const MAX_PIXELS = 4096; // a side; a photo of a modern phone has about that

/** What a picture's file shows; null when it is no picture. */
async function pictureOf(file: Blob): Promise<ImageData | null> {
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
