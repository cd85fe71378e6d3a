/** Cutting a picture to the card's photo, two wide and three high. */

import type { Crop } from "../model.ts";

const ASPECT = 2 / 3;

/** Where the frame is: its size, 1 being the largest that fits, and its place, 0 to 1 each way. */
export interface Cut {
  readonly zoom: number; // 1 to 4
  readonly across: number;
  readonly down: number;
}

export const WHOLE: Cut = { zoom: 1, across: 0.5, down: 0.5 };
export const MOST_ZOOM = 4;

/** The cut as fractions of the picture. */
export function cropOf(cut: Cut, width: number, height: number): Crop {
  const isWide = width / height > ASPECT;
  const largest = isWide ? { w: (height * ASPECT) / width, h: 1 } : { w: 1, h: width / ASPECT / height };
  const zoom = between(1, cut.zoom, MOST_ZOOM);
  const [w, h] = [largest.w / zoom, largest.h / zoom];
  return {
    left: between(0, cut.across, 1) * (1 - w),
    top: between(0, cut.down, 1) * (1 - h),
    width: w,
    height: h,
  };
}

/** The cut after the picture was dragged by parts of the frame's width and height. */
export function dragged(cut: Cut, crop: Crop, across: number, down: number): Cut {
  const move = (at: number, by: number, part: number): number =>
    part >= 1 ? at : between(0, at - (by * part) / (1 - part), 1);
  return {
    zoom: cut.zoom,
    across: move(cut.across, across, crop.width),
    down: move(cut.down, down, crop.height),
  };
}

function between(least: number, value: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
