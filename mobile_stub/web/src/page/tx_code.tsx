/** The code that came by another way than the offer. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { useSurroundings } from "./surroundings.ts";
import { Button } from "./widgets.tsx";

interface TxCodeProps {
  readonly isAsked: boolean;
  /** null: the offer does not say. */
  readonly length: number | null;
  readonly isRetry: boolean;
  readonly onGive: (txCode: string | null) => void;
}

export function TxCode({ isAsked, length, isRetry, onGive }: TxCodeProps): JSX.Element {
  const { language } = useSurroundings();
  const [text, setText] = useState("");
  const [fault, setFault] = useState<string | null>(null);
  const give = (event: Event): void => {
    event.preventDefault();
    const wrong = isAsked ? faultOf(text, length) : null;
    setFault(wrong);
    if (wrong === null) onGive(isAsked ? text : null);
  };
  return (
    <form class="stack" onSubmit={give} noValidate>
      {isAsked && (
        <label class="field">
          <span class="label">
            {length === null ? language.word("tx_label_open") : language.word("tx_label", { length })}
          </span>
          <input
            class="tx-code"
            inputMode="numeric"
            autocomplete="one-time-code"
            maxLength={length ?? 40}
            value={text}
            aria-invalid={fault !== null}
            aria-describedby="tx-hint tx-fault"
            onInput={({ currentTarget }) => {
              setText(currentTarget.value.replace(/\s/g, ""));
            }}
          />
          <span class="hint" id="tx-hint">
            {language.word("tx_hint")}
          </span>
        </label>
      )}
      <p class="fault" id="tx-fault" role="alert">
        {fault !== null && language.word(fault, { length: length ?? 0 })}
      </p>
      <Button kind="primary" submit>
        {language.word(isRetry && !isAsked ? "retry" : "take_now")}
      </Button>
    </form>
  );
}

function faultOf(text: string, length: number | null): string | null {
  if (length === null) return text === "" ? "tx_missing" : null;
  if (!/^[0-9]*$/.test(text)) return "tx_only_digits";
  return text.length === length ? null : "tx_short";
}
