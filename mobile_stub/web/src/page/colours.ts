/** The institution's colours, guarded: what it chose is used as long as people can read it. */

export interface CardColours {
  readonly background: string;
  readonly text: string;
  /** The other end of the card's shading: farther from the text than the background is. */
  readonly shade: string;
}

const FALLBACK = "#0b3d91";
const WHITE = "#ffffff";
const BLACK = "#10131a";
const LEAST_CONTRAST = 4.5; // WCAG 2.2, 1.4.3
const SHADE = 0.3; // of the way to black or white

type Rgb = readonly [number, number, number];

export function cardColours(background: string, text: string): CardColours {
  const paper = rgbOf(background) ?? rgbOf(FALLBACK) ?? [0, 0, 0];
  const wanted = rgbOf(text);
  const ink = wanted !== null && contrast(paper, wanted) >= LEAST_CONTRAST ? wanted : readableOn(paper);
  const towards: Rgb = luminance(ink) > luminance(paper) ? [0, 0, 0] : [255, 255, 255];
  return { background: hexOf(paper), text: hexOf(ink), shade: hexOf(mix(paper, towards, SHADE)) };
}

/** WCAG's ratio of two colours written #rrggbb; NaN when one is none. */
export function contrastOf(one: string, other: string): number {
  const [a, b] = [rgbOf(one), rgbOf(other)];
  return a === null || b === null ? NaN : contrast(a, b);
}

// One of the two always reaches 4.5.
function readableOn(paper: Rgb): Rgb {
  const [white, black] = [rgbOf(WHITE), rgbOf(BLACK)] as [Rgb, Rgb];
  if (contrast(paper, white) >= LEAST_CONTRAST) return white;
  return contrast(paper, black) >= LEAST_CONTRAST ? black : [0, 0, 0];
}

function contrast(one: Rgb, other: Rgb): number {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

function luminance(colour: Rgb): number {
  const [red, green, blue] = colour.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function mix(from: Rgb, to: Rgb, share: number): Rgb {
  const part = (index: 0 | 1 | 2): number => Math.round(from[index] + (to[index] - from[index]) * share);
  return [part(0), part(1), part(2)];
}

function rgbOf(text: string): Rgb | null {
  const found = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text);
  return found === null ? null : [hex(found[1]), hex(found[2]), hex(found[3])];
}

function hex(digits: string | undefined): number {
  return parseInt(digits ?? "00", 16);
}

function hexOf(colour: Rgb): string {
  return `#${colour.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}
