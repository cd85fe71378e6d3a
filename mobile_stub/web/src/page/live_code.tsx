/** The code that changes: a new one every 15 seconds, none while the page is out of sight. */

import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { drawCode } from "../codes/drawing.ts";
import { WalletRefusal, type Profile, type WalletCard } from "../model.ts";
import { useTime } from "./hooks.ts";
import { useSurroundings } from "./surroundings.ts";

const EVERY = 15_000; // milliseconds
const SEEN_AFTER = 3_000; // milliseconds: so long a code is in sight to count as shown

interface LiveCodeProps {
  readonly card: WalletCard;
  readonly profile: Profile;
  readonly challenge?: Uint8Array | undefined;
  /** Without it the picture is only that. */
  readonly onEnlarge?: () => void;
  readonly onLost: (refusal: WalletRefusal) => void;
}

export function LiveCode({ card, profile, challenge, onEnlarge, onLost }: LiveCodeProps): JSX.Element {
  const { language } = useSurroundings();
  const box = useRef<HTMLDivElement>(null);
  const path = useRef<SVGPathElement>(null);
  const turn = useRotation({ card, profile, challenge, path, onLost });
  useWholePixels(box);
  const picture = (
    <svg class="code-picture" viewBox="0 0 1 1" shape-rendering="crispEdges" aria-hidden="true">
      <path ref={path} />
    </svg>
  );
  return (
    <div class="live-code">
      <div class="code-box" ref={box} data-turn={turn}>
        {onEnlarge === undefined ? (
          <div role="img" aria-label={language.word("code_alt")}>
            {picture}
          </div>
        ) : (
          <button
            type="button"
            class="code-button"
            aria-label={`${language.word("code_alt")} ${language.word("enlarge")}`}
            onClick={onEnlarge}
          >
            {picture}
          </button>
        )}
      </div>
      <div class="alive">
        <Ring turn={turn} />
        <LiveTime />
        <span class={`face ${profile}`}>{language.word(profile)}</span>
      </div>
    </div>
  );
}

interface Rotation {
  readonly card: WalletCard;
  readonly profile: Profile;
  readonly challenge: Uint8Array | undefined;
  readonly path: { readonly current: SVGPathElement | null };
  readonly onLost: (refusal: WalletRefusal) => void;
}

/** Draws code after code; how many there were. */
function useRotation({ card, profile, challenge, path, onLost }: Rotation): number {
  const { wallet } = useSurroundings();
  const [turn, setTurn] = useState(0);
  const { id } = card;
  const e1 = card.codes[profile]?.text;
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let seen: ReturnType<typeof setTimeout> | undefined;
    let isOver = false;
    const next = async (): Promise<void> => {
      const start = performance.now();
      const text = await wallet.liveCode(id, profile, challenge);
      if (isOver || document.hidden) return;
      draw(path.current, text);
      performance.measure("esc-code-drawn", { start });
      setTurn((before) => before + 1);
      timer = setTimeout(onward, EVERY);
    };
    const onward = (): void => {
      next().catch((error: unknown) => {
        if (!(error instanceof WalletRefusal)) throw error;
        if (!isOver) onLost(error);
      });
    };
    const pause = (): void => {
      clearTimeout(timer);
      clearTimeout(seen);
      draw(path.current, null);
    };
    const look = (): void => {
      pause();
      if (document.hidden) return;
      onward();
      seen = setTimeout(() => void wallet.noteShowing(id, profile), SEEN_AFTER);
    };
    look();
    document.addEventListener("visibilitychange", look);
    return () => {
      isOver = true;
      pause();
      document.removeEventListener("visibilitychange", look);
    };
  }, [wallet, id, profile, challenge, e1, path, onLost]);
  return turn;
}

export function draw(path: SVGPathElement | null, text: string | null): void {
  if (path === null) return;
  if (text === null) {
    path.setAttribute("d", "");
    return;
  }
  const code = drawCode(text, "screen");
  path.setAttribute("d", code.path);
  path.ownerSVGElement?.setAttribute("viewBox", `0 0 ${code.size} ${code.size}`);
  path.ownerSVGElement?.dispatchEvent(new CustomEvent("drawn", { bubbles: true }));
}

/** Every module is the same whole number of the screen's own pixels. */
export function useWholePixels(box: { readonly current: HTMLDivElement | null }): void {
  useLayoutEffect(() => {
    const element = box.current;
    const picture = element?.querySelector("svg");
    if (element === null || picture === null || picture === undefined) return;
    const fit = (): void => {
      const modules = picture.viewBox.baseVal.width;
      if (modules < 2) return;
      const density = window.devicePixelRatio;
      const side = (Math.floor((element.clientWidth * density) / modules) * modules) / density;
      picture.style.setProperty("inline-size", side > 0 ? `${side}px` : "100%");
    };
    // In the next frame: a size that is set while sizes are told is told again, which browsers report.
    let frame = 0;
    const observer = new ResizeObserver(() => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(fit);
    });
    observer.observe(element);
    element.addEventListener("drawn", fit);
    return () => {
      cancelAnimationFrame(frame);
      observer.disconnect();
      element.removeEventListener("drawn", fit);
    };
  }, [box]);
}

/** How far this code is through its 15 seconds; begins anew with each. */
function Ring({ turn }: { readonly turn: number }): JSX.Element {
  return (
    <svg class="ring" viewBox="0 0 36 36" aria-hidden="true">
      <circle class="ring-whole" cx="18" cy="18" r="15" />
      {turn > 0 && <circle key={turn} class="ring-left" cx="18" cy="18" r="15" pathLength="100" />}
    </svg>
  );
}

/** No live region: it would speak every second. */
function LiveTime(): JSX.Element {
  const { language } = useSurroundings();
  const time = useTime(1000);
  const date = new Date(time * 1000);
  return (
    <p class="live-time">
      <span class="unseen">{language.word("local_time")} </span>
      <time dateTime={date.toISOString().slice(0, 19)}>
        <span class="clock">{date.toLocaleTimeString("en-GB")}</span> <span>{language.shortDay(time)}</span>
      </time>
    </p>
  );
}
