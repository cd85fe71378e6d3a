/** The pieces that screens are put together from. */

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

import type { WalletRefusal } from "../model.ts";
import type { Loaded } from "./hooks.ts";
import { addressOf, type Place } from "./routing.ts";
import { useSurroundings } from "./surroundings.ts";

type ButtonKind = "primary" | "plain" | "danger" | "quiet";

interface ButtonProps {
  readonly kind?: ButtonKind;
  readonly isBusy?: boolean;
  readonly submit?: boolean;
  readonly label?: string;
  readonly onPress?: () => void;
  readonly children: ComponentChildren;
}

export function Button({
  kind = "plain",
  isBusy = false,
  submit = false,
  label,
  onPress,
  children,
}: ButtonProps): JSX.Element {
  return (
    <button
      type={submit ? "submit" : "button"}
      class={`button ${kind}`}
      aria-disabled={isBusy}
      {...(label === undefined ? {} : { "aria-label": label })}
      onClick={(event) => {
        if (isBusy) event.preventDefault();
        else onPress?.();
      }}
    >
      {children}
    </button>
  );
}

/** A drawing of 24 by 24 that says nothing: what it means stands beside it in words. */
export function Drawing({ path, kind = "" }: { readonly path: string; readonly kind?: string }): JSX.Element {
  return (
    <svg class={`drawing ${kind}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}

export const DRAWINGS = {
  back: "M15 5l-7 7 7 7",
  more: "M4 7h16M4 12h16M4 17h16",
  next: "M9 5l7 7-7 7",
  refresh: "M20 11a8 8 0 10-2.3 6.3M20 5v6h-6",
  pause: "M9 6v12M15 6v12",
  stop: "M6 6l12 12M18 6L6 18",
  clock: "M12 7v5l3 3M12 3a9 9 0 100 18 9 9 0 000-18z",
  phone: "M8 3h8a1 1 0 011 1v16a1 1 0 01-1 1H8a1 1 0 01-1-1V4a1 1 0 011-1zM11 18h2",
  key: "M14 10a4 4 0 11-8 0 4 4 0 018 0zM14 10h7M18 10v4",
  person: "M12 12a4 4 0 100-8 4 4 0 000 8zM4 21c0-4 4-6 8-6s8 2 8 6",
  plus: "M12 5v14M5 12h14",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 017 0v3",
  home: "M4 11l8-7 8 7v9H4zM10 20v-6h4v6",
  warning: "M12 4l9 16H3zM12 10v4M12 17v.5",
} as const;

/** A screen with a way back and a heading, which has the focus when the screen opens. */
export function Screen({
  title,
  back,
  children,
}: {
  readonly title: string;
  readonly back: Place;
  readonly children: ComponentChildren;
}): JSX.Element {
  const { language } = useSurroundings();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, [title]);
  return (
    <div class="screen">
      <header class="bar">
        <a class="icon-button" href={addressOf(back)} aria-label={language.word("back")}>
          <Drawing path={DRAWINGS.back} />
        </a>
        <h1 tabIndex={-1} ref={heading}>
          {title}
        </h1>
      </header>
      <main id="main" class="content">
        {children}
      </main>
    </div>
  );
}

/** Why something was refused, and what to do: one sentence each. */
export function Refused({ refusal }: { readonly refusal: WalletRefusal | null }): JSX.Element {
  const { language } = useSurroundings();
  return (
    <div class="refused" role="alert">
      {refusal !== null && (
        <>
          <p class="strong">{language.refusal(refusal.refusal).sentence}</p>
          <p>{language.refusal(refusal.refusal).hint}</p>
        </>
      )}
    </div>
  );
}

/** That something is being asked for, or why it could not be, and the way to try again. */
export function Asking({
  of: { value, isBusy, refusal, load },
}: {
  readonly of: Loaded<unknown>;
}): JSX.Element {
  const { language } = useSurroundings();
  return (
    <>
      {value === null && isBusy && (
        <p class="loading" role="status">
          {language.word("loading")}
        </p>
      )}
      <Refused refusal={refusal} />
      {value === null && refusal !== null && (
        <Button onPress={() => void load()}>{language.word("retry")}</Button>
      )}
    </>
  );
}

export function Said({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return (
    <p class="said" role="status">
      {children}
    </p>
  );
}

export function Field({
  label,
  hint,
  children,
}: {
  readonly label: string;
  readonly hint?: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <label class="field">
      <span class="label">{label}</span>
      {children}
      {hint !== undefined && <span class="hint">{hint}</span>}
    </label>
  );
}

/** A choice of one of a few, side by side. */
export function Segments<Value extends string>({
  legend,
  isLegendSeen = false,
  name,
  value,
  options,
  onChoose,
}: {
  readonly legend: string;
  /** Where the choices do not say by themselves what is chosen. */
  readonly isLegendSeen?: boolean;
  readonly name: string;
  readonly value: Value;
  readonly options: readonly { readonly value: Value; readonly label: string }[];
  readonly onChoose: (value: Value) => void;
}): JSX.Element {
  return (
    <fieldset class="segments">
      <legend class={isLegendSeen ? "label" : "unseen"}>{legend}</legend>
      {options.map((option) => (
        <label key={option.value}>
          <input
            type="radio"
            name={name}
            checked={option.value === value}
            onChange={() => {
              onChoose(option.value);
            }}
          />
          <span>{option.label}</span>
        </label>
      ))}
    </fieldset>
  );
}
