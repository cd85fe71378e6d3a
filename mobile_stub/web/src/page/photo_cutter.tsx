/** The chosen picture behind the frame: dragged with a finger, or moved with sliders. */

import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { cropOf, dragged, MOST_ZOOM, type Cut } from "./crop.ts";
import { useSurroundings } from "./surroundings.ts";

interface CutterProps {
  readonly picture: ImageBitmap;
  readonly cut: Cut;
  readonly onCut: (cut: Cut) => void;
}

const [WIDE, HIGH] = [400, 600]; // pixels of the drawing

export function PhotoCutter({ picture, cut, onCut }: CutterProps): JSX.Element {
  const { language } = useSurroundings();
  const canvas = useRef<HTMLCanvasElement>(null);
  const from = useRef<{ readonly x: number; readonly y: number } | null>(null);
  const crop = cropOf(cut, picture.width, picture.height);
  useEffect(() => {
    const { left, top, width, height } = cropOf(cut, picture.width, picture.height);
    const context = canvas.current?.getContext("2d");
    context?.drawImage(
      picture,
      left * picture.width,
      top * picture.height,
      width * picture.width,
      height * picture.height,
      0,
      0,
      WIDE,
      HIGH,
    );
  }, [picture, cut]);
  const drag = (event: PointerEvent): void => {
    const box = canvas.current?.getBoundingClientRect();
    if (from.current === null || box === undefined) return;
    const across = (event.clientX - from.current.x) / box.width;
    const down = (event.clientY - from.current.y) / box.height;
    from.current = { x: event.clientX, y: event.clientY };
    onCut(dragged(cut, crop, across, down));
  };
  return (
    <div class="cutter">
      <canvas
        ref={canvas}
        width={WIDE}
        height={HIGH}
        aria-hidden="true"
        onPointerDown={(event) => {
          canvas.current?.setPointerCapture(event.pointerId);
          from.current = { x: event.clientX, y: event.clientY };
        }}
        onPointerMove={drag}
        onPointerUp={() => {
          from.current = null;
        }}
      />
      <p class="hint">{language.word("photo_crop_hint")}</p>
      <Sliders cut={cut} onCut={onCut} />
    </div>
  );
}

function Sliders({ cut, onCut }: Pick<CutterProps, "cut" | "onCut">): JSX.Element {
  const { language } = useSurroundings();
  const sliders = [
    { part: "zoom", label: "photo_zoom", least: 1, most: MOST_ZOOM },
    { part: "across", label: "photo_across", least: 0, most: 1 },
    { part: "down", label: "photo_down", least: 0, most: 1 },
  ] as const;
  return (
    <>
      {sliders.map(({ part, label, least, most }) => (
        <Slider
          key={part}
          label={language.word(label)}
          least={least}
          most={most}
          value={cut[part]}
          onMove={(value) => {
            onCut({ ...cut, [part]: value });
          }}
        />
      ))}
    </>
  );
}

interface SliderProps {
  readonly label: string;
  readonly least: number;
  readonly most: number;
  readonly value: number;
  readonly onMove: (value: number) => void;
}

function Slider({ label, least, most, value, onMove }: SliderProps): JSX.Element {
  return (
    <label class="slider">
      <span>{label}</span>
      <input
        type="range"
        min={least}
        max={most}
        step={(most - least) / 100}
        value={value}
        onInput={({ currentTarget }) => {
          onMove(Number(currentTarget.value));
        }}
      />
    </label>
  );
}
