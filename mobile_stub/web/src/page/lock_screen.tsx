/** What stands before the cards while the wallet is locked. */

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { removeLock, tryDevice, tryPin, type Lock } from "./lock.ts";
import { now, useSurroundings } from "./surroundings.ts";
import { Button, Field } from "./widgets.tsx";

interface LockScreenProps {
  readonly lock: Lock;
  readonly onOpen: () => void;
}

export function LockScreen({ lock, onOpen }: LockScreenProps): JSX.Element {
  const { language } = useSurroundings();
  return (
    <div class="screen welcome">
      <main id="main" class="content">
        <img src="./icon.svg" alt="" width="96" height="96" />
        <h1>{language.word("unlock_title")}</h1>
        {lock.kind === "pin" ? (
          <AskPin lock={lock} onOpen={onOpen} />
        ) : (
          <AskDevice lock={lock} onOpen={onOpen} />
        )}
        <Forgotten onOpen={onOpen} />
      </main>
    </div>
  );
}

function AskPin({
  lock,
  onOpen,
}: {
  readonly lock: Lock & { kind: "pin" };
  readonly onOpen: () => void;
}): JSX.Element {
  const { language, wallet } = useSurroundings();
  const [pin, setPin] = useState("");
  const [said, say] = useState("");
  const [isBusy, setBusy] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    input.current?.focus();
  }, []);
  const open = async (): Promise<void> => {
    setBusy(true);
    const answer = await tryPin(wallet, lock, pin, now());
    setBusy(false);
    setPin("");
    if (answer === "open") onOpen();
    else if (answer === "wrong") say(language.word("pin_wrong"));
    else say(language.word("pin_wait", { count: answer.wait }));
  };
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (pin !== "" && !isBusy) void open();
      }}
    >
      <Field label={language.word("pin_enter")}>
        <input
          ref={input}
          class="tx-code"
          type="password"
          inputMode="numeric"
          autocomplete="off"
          maxLength={12}
          value={pin}
          onInput={({ currentTarget }) => {
            setPin(currentTarget.value);
          }}
        />
      </Field>
      <p class="fault" role="alert">
        {said}
      </p>
      <Button kind="primary" submit isBusy={isBusy}>
        {language.word("unlock")}
      </Button>
    </form>
  );
}

function AskDevice({
  lock,
  onOpen,
}: {
  readonly lock: Lock & { kind: "device" };
  readonly onOpen: () => void;
}): JSX.Element {
  const { language } = useSurroundings();
  const [hasFailed, setFailed] = useState(false);
  const open = async (): Promise<void> => {
    setFailed(false);
    if (await tryDevice(lock)) onOpen();
    else setFailed(true);
  };
  return (
    <div class="stack">
      <Button kind="primary" onPress={() => void open()}>
        {language.word("unlock_device")}
      </Button>
      <p class="fault" role="alert">
        {hasFailed && language.word("lock_device_failed")}
      </p>
    </div>
  );
}

/** The way out: the cards go, and the lock with them. */
function Forgotten({ onOpen }: { readonly onOpen: () => void }): JSX.Element {
  const { language, wallet, cards, unfinished } = useSurroundings();
  const wipe = async (): Promise<void> => {
    await wallet.keepOffer(null);
    for (const { id } of unfinished) await wallet.abandon(id);
    for (const card of cards) await wallet.forget(card.id);
    await wallet.deleteShowings();
    await removeLock(wallet);
    onOpen();
  };
  return (
    <details class="stack">
      <summary>{language.word("pin_forgot")}</summary>
      <p>{language.word("pin_forgot_text")}</p>
      <Button kind="danger" onPress={() => void wipe()}>
        {language.word("pin_forgot_delete")}
      </Button>
    </details>
  );
}
