/** The codes of an answer, one after the other, round and round, while a verifier would take them. */

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { useScreenOn, useTime } from "./hooks.ts";
import { draw, useWholePixels } from "./live_code.tsx";
import { useSurroundings } from "./surroundings.ts";
import { Button } from "./widgets.tsx";

const EVERY = 500; // milliseconds
const STEPS: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowLeft: -1 };

interface AnswerPartsProps {
  readonly parts: readonly string[];
  /** When the answer is too old, seconds since 1970. */
  readonly until: number;
  readonly onAgain: () => void;
  readonly onDone: () => void;
}

export function AnswerParts({ parts, until, onAgain, onDone }: AnswerPartsProps): JSX.Element {
  const { language } = useSurroundings();
  const left = Math.ceil(until - useTime(500));
  useScreenOn(left > 0);
  return (
    <>
      {left > 0 ? (
        <Player parts={parts} left={left} />
      ) : (
        <>
          <p role="alert">{language.word("answer_over")}</p>
          <Button onPress={onAgain}>{language.word("answer_again")}</Button>
        </>
      )}
      <Button kind="primary" onPress={onDone}>
        {language.word("answer_done")}
      </Button>
    </>
  );
}

interface PlayerProps {
  readonly parts: readonly string[];
  readonly left: number;
}

function Player({ parts, left }: PlayerProps): JSX.Element {
  const { language } = useSurroundings();
  const { index, isPlaying, play, step } = useTurns(parts.length);
  const box = useRef<HTMLDivElement>(null);
  const path = useRef<SVGPathElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus(), []);
  useWholePixels(box);
  useDrawn(path, parts[index] ?? null);
  const place = language.word("answer_code_of", { number: index + 1, total: parts.length });
  return (
    <div
      class="stack"
      onKeyDown={({ key }) => {
        const by = STEPS[key];
        if (by !== undefined) step(by);
      }}
    >
      <p>{language.word("answer_hold")}</p>
      <div class="panel answer-panel">
        <div class="code-box" ref={box} data-turn={index + 1}>
          <button
            type="button"
            class="code-button"
            ref={button}
            aria-label={`${place}. ${language.word("answer_next")}`}
            onClick={() => {
              step(1);
            }}
          >
            <svg class="code-picture" viewBox="0 0 1 1" shape-rendering="crispEdges" aria-hidden="true">
              <path ref={path} />
            </svg>
          </button>
        </div>
      </div>
      <p class="answer-place" aria-live={isPlaying ? "off" : "polite"}>
        {place}
      </p>
      <div class="answer-steps">
        <Button
          onPress={() => {
            step(-1);
          }}
        >
          {language.word("answer_previous")}
        </Button>
        <Button onPress={play}>{language.word(isPlaying ? "answer_pause" : "answer_play")}</Button>
        <Button
          onPress={() => {
            step(1);
          }}
        >
          {language.word("answer_next")}
        </Button>
      </div>
      <p class="hint centred">{language.word("answer_left", { count: left })}</p>
    </div>
  );
}

interface Turns {
  readonly index: number;
  readonly isPlaying: boolean;
  /** Goes on, or stops. */
  readonly play: () => void;
  /** By hand, which stops it. */
  readonly step: (by: number) => void;
}

/** By itself, but not for whoever does not want things to move. */
function useTurns(count: number): Turns {
  const [index, setIndex] = useState(0);
  const [isPlaying, setPlaying] = useState(() => !matchMedia("(prefers-reduced-motion: reduce)").matches);
  useEffect(() => {
    if (!isPlaying) return;
    const timer = setInterval(() => {
      setIndex((before) => (before + 1) % count);
    }, EVERY);
    return () => {
      clearInterval(timer);
    };
  }, [isPlaying, count]);
  return {
    index,
    isPlaying,
    play: () => {
      setPlaying(!isPlaying);
    },
    step: (by) => {
      setPlaying(false);
      setIndex((index + by + count) % count);
    },
  };
}

/** Nothing is drawn while the page is out of sight. */
function useDrawn(path: { readonly current: SVGPathElement | null }, text: string | null): void {
  useEffect(() => {
    const show = (): void => {
      draw(path.current, document.hidden ? null : text);
    };
    show();
    document.addEventListener("visibilitychange", show);
    return () => {
      document.removeEventListener("visibilitychange", show);
    };
  }, [path, text]);
}
