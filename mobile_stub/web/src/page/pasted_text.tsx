/** A text that came another way than by the camera. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { useSurroundings } from "./surroundings.ts";
import { Button, Field } from "./widgets.tsx";

/** Label and button by their keys; a blank text is not read. */
export function PastedText({
  label,
  button,
  onRead,
}: {
  readonly label: string;
  readonly button: string;
  readonly onRead: (text: string) => void;
}): JSX.Element {
  const { language } = useSurroundings();
  const [text, setText] = useState("");
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim() !== "") onRead(text);
      }}
    >
      <Field label={language.word(label)}>
        <textarea
          rows={3}
          value={text}
          autocomplete="off"
          spellcheck={false}
          onInput={({ currentTarget }) => {
            setText(currentTarget.value);
          }}
        />
      </Field>
      <Button submit>{language.word(button)}</Button>
    </form>
  );
}
