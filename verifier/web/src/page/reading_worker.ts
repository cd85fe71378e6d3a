/** Finding a code in a picture, off the page's thread. */

import { prepareZXingModule, readBarcodes, type ReaderOptions } from "zxing-wasm/reader";
import wasmAddress from "zxing-wasm/reader/zxing_reader.wasm?url";

const OPTIONS: ReaderOptions = {
  formats: ["QRCode"],
  tryHarder: true,
  tryRotate: true,
  tryInvert: true, // a phone in dark mode may show white on black
  tryDownscale: true,
  maxNumberOfSymbols: 1,
};

void prepareZXingModule({ overrides: { locateFile: () => wasmAddress }, fireImmediately: true });

self.onmessage = (event: MessageEvent<{ number: number; picture: ImageData }>) => {
  void answer(event.data);
};

async function answer({ number, picture }: { number: number; picture: ImageData }): Promise<void> {
  try {
    const [found] = await readBarcodes(picture, OPTIONS);
    self.postMessage({ number, text: found?.isValid === true ? found.text : null });
  } catch (error) {
    self.postMessage({ number, fault: String(error) });
  }
}
