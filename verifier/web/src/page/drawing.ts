/** A QR code on the screen: black on white in both schemes, four light modules around. */

import { correction, generate, type Bitmap2D } from "lean-qr";

const AROUND = 4; // modules

/** The code's drawing, named for those who do not see it. */
export function drawCode(text: string, name: string): SVGSVGElement {
  // Of a text of capitals, digits and slashes the alphanumeric mode is chosen by itself.
  const code = generate(text, { minCorrectionLevel: correction.L, maxCorrectionLevel: correction.L });
  const size = code.size + 2 * AROUND;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", pathOf(code));
  svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", name);
  svg.setAttribute("class", "qr");
  svg.append(path);
  return svg;
}

// A rectangle for each run of dark modules in a row: no seams between modules.
function pathOf(code: Bitmap2D): string {
  let path = "";
  for (let y = 0; y < code.size; y += 1) {
    for (let x = 0; x < code.size; x += 1) {
      const start = x;
      while (code.get(x, y)) x += 1;
      if (x > start) path += `M${start + AROUND} ${y + AROUND}h${x - start}v1h${start - x}z`;
    }
  }
  return path;
}
