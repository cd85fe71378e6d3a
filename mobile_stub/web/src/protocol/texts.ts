/** Words of the other side, cut to what belongs on a screen. */

const MAX_CHARS = 200;

/** Without control characters and marks that turn the direction, cut to so many characters. */
export function printable(text: string, most = MAX_CHARS): string {
  return text.slice(0, most).replace(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]|\p{Cs}/gu, "");
}
