/**
 * Reading an offer's QR code: by the browser where it can, else by a small decoder that is only
 * loaded then. What is read is untrusted text.
 */

interface Detector {
  detect(source: ImageBitmapSource): Promise<readonly { readonly rawValue: string }[]>;
}
interface DetectorClass {
  new (options: { formats: string[] }): Detector;
  getSupportedFormats(): Promise<string[]>;
}

const FORMAT = "qr_code";
// A code of an offer fills much of the picture: more pixels only take time.
const MAX_SIDE = 1024;

/** The text of a QR code in this picture; null when none is found. */
export async function readCode(source: HTMLVideoElement | ImageBitmap | ImageData): Promise<string | null> {
  detector ??= findDetector();
  const found = await detector;
  if (found !== null) return (await found.detect(source))[0]?.rawValue ?? null;
  const pixels = source instanceof ImageData ? source : pixelsOf(source);
  return pixels === null ? null : readPixels(pixels);
}

let detector: Promise<Detector | null> | undefined;

/** The browser's own one; some have the class but no decoder behind it. */
async function findDetector(): Promise<Detector | null> {
  const found = (globalThis as { BarcodeDetector?: DetectorClass }).BarcodeDetector;
  const formats = await found?.getSupportedFormats();
  return found !== undefined && formats?.includes(FORMAT) === true ? new found({ formats: [FORMAT] }) : null;
}

/** The text of a QR code in these pixels, without the browser's help. */
export async function readPixels(pixels: ImageData): Promise<string | null> {
  const { default: decodeQr } = await import("qr/decode.js");
  try {
    return decodeQr(pixels);
  } catch {
    return null; // it throws when there is none
  }
}

function pixelsOf(source: HTMLVideoElement | ImageBitmap): ImageData | null {
  const [width, height] =
    source instanceof HTMLVideoElement
      ? [source.videoWidth, source.videoHeight]
      : [source.width, source.height];
  if (width === 0 || height === 0) return null;
  const scale = Math.min(1, MAX_SIDE / Math.max(width, height));
  const canvas = new OffscreenCanvas(Math.round(width * scale), Math.round(height * scale));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context?.drawImage(source, 0, 0, canvas.width, canvas.height);
  return context?.getImageData(0, 0, canvas.width, canvas.height) ?? null;
}
