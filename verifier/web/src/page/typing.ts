/** Scanners that act as a keyboard: what is typed fast outside of any field, and ends with Enter. */

const MAX_PAUSE = 500; // milliseconds between two keys of one code
const LEAST_CHARS = 8; // less is a person
const MOST_CHARS = 32_768;

/** Listens to the whole page. */
export function listenToScanner(typed: (text: string) => void): void {
  let [text, last] = ["", 0];
  document.addEventListener("keydown", (event) => {
    if (isInField(event.target) || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.timeStamp - last > MAX_PAUSE) text = "";
    last = event.timeStamp;
    if (event.key === "Enter") {
      const whole = text;
      text = "";
      if (whole.length < LEAST_CHARS) return;
      // Otherwise it presses the button that has the focus as well.
      event.preventDefault();
      typed(whole);
    } else if (event.key.length === 1 && text.length < MOST_CHARS) {
      text += event.key;
      if (text.length > 1) event.preventDefault();
    }
  });
}

function isInField(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input:not([type=file]), textarea, select");
}
