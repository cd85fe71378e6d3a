/** The code as large as the screen, all else white: for a scanner that has trouble, in bright sun. */

import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

import type { Profile, WalletCard, WalletRefusal } from "../model.ts";
import { Photo } from "./card_face.tsx";
import { LiveCode } from "./live_code.tsx";
import { useSurroundings } from "./surroundings.ts";

interface FullCodeProps {
  readonly card: WalletCard;
  readonly profile: Profile;
  readonly challenge?: Uint8Array | undefined;
  readonly onClose: () => void;
  readonly onLost: (refusal: WalletRefusal) => void;
}

export function FullCode({ card, profile, challenge, onClose, onLost }: FullCodeProps): JSX.Element {
  const { language } = useSurroundings();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog class="full-code" ref={dialog} onClose={onClose} aria-label={language.word("code_alt")}>
      <LiveCode card={card} profile={profile} challenge={challenge} onLost={onLost} />
      <div class="full-holder">
        <Photo card={card} />
        <div>
          <p class="holder-name">{card.facts.name}</p>
          <p>{card.facts.institution.name}</p>
        </div>
      </div>
      <p class="hint">{language.word("brightness")}</p>
      <button type="button" class="button" autofocus onClick={() => dialog.current?.close()}>
        {language.word("close")}
      </button>
    </dialog>
  );
}
