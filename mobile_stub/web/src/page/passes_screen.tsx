/** Passes for the wallets of Apple and Google: taken, and taken back. */

import type { JSX } from "preact";
import { useCallback, useState } from "preact/hooks";

import type { PassKind, WalletCard } from "../model.ts";
import { useLoaded } from "./hooks.ts";
import { useSurroundings } from "./surroundings.ts";
import { Asking, Button, Said, Screen } from "./widgets.tsx";

export function PassesScreen({ card }: { readonly card: WalletCard }): JSX.Element {
  const { language, wallet } = useSurroundings();
  const [said, say] = useState<Partial<Record<PassKind, string>>>({});
  const loaded = useLoaded(useCallback(() => wallet.passes(card.id), [wallet, card.id]));
  const { value: passes, isBusy } = loaded;
  const act = async (kind: PassKind, key: string, work: () => Promise<void>): Promise<void> => {
    say({});
    if (await loaded.change(work)) say({ [kind]: language.word(key) });
  };
  const take = async (kind: PassKind): Promise<void> => {
    if (kind === "google") location.assign(await wallet.googleSaveLink(card.id));
    else saveFile(await wallet.applePass(card.id), "student-card.pkpass");
  };
  const shown =
    passes === null ? [] : KINDS.filter((kind) => [...passes.offered, ...passes.held].includes(kind));
  return (
    <Screen title={language.word("passes_title")} back={{ at: "card-page", card: card.id, page: "menu" }}>
      <p>{language.word(passes !== null && shown.length === 0 ? "passes_none" : "passes_intro")}</p>
      {shown.map((kind) => (
        <Pass
          key={kind}
          kind={kind}
          isOffered={passes?.offered.includes(kind) === true}
          isHeld={passes?.held.includes(kind) === true}
          isBusy={isBusy}
          said={said[kind]}
          onTake={() => void act(kind, `pass_${kind}_taken`, () => take(kind))}
          onTakeBack={() => void act(kind, "passes_ended", () => wallet.takeBackPass(card.id, kind))}
        />
      ))}
      <Asking of={loaded} />
      {/* Of a pass that is offered no more, and was taken back. */}
      <Said>{KINDS.filter((kind) => !shown.includes(kind)).map((kind) => said[kind])}</Said>
    </Screen>
  );
}

const KINDS: readonly PassKind[] = ["apple", "google"];

interface PassProps {
  readonly kind: PassKind;
  readonly isOffered: boolean;
  readonly isHeld: boolean;
  readonly isBusy: boolean;
  /** What has just been done with it. */
  readonly said: string | undefined;
  readonly onTake: () => void;
  readonly onTakeBack: () => void;
}

function Pass({ kind, isOffered, isHeld, isBusy, said, onTake, onTakeBack }: PassProps): JSX.Element {
  const { language } = useSurroundings();
  const name = language.word(`pass_${kind}_name`);
  return (
    <section class="block pass" aria-label={name}>
      <h2>{name}</h2>
      {isHeld && <p>{language.word("passes_held")}</p>}
      {kind === "google" && <p class="hint">{language.word("pass_google_note")}</p>}
      {isOffered && (
        <Button kind={isHeld ? "plain" : "primary"} isBusy={isBusy} onPress={onTake}>
          {language.word(isHeld ? "passes_again" : `pass_${kind}_add`)}
        </Button>
      )}
      {isHeld && (
        <Button kind="danger" isBusy={isBusy} onPress={onTakeBack}>
          {language.word("passes_end")}
        </Button>
      )}
      <Said>{said}</Said>
    </section>
  );
}

/** Hands a file to the browser, which gives a pass to the phone's wallet. */
function saveFile(file: Blob, name: string): void {
  const address = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => {
    URL.revokeObjectURL(address);
  }, 60_000);
}
