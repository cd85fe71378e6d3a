/** Language, and the lock. */

import type { JSX } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";

import { languages } from "./languages.ts";
import { hasDeviceCheck, isPin, lockOf, removeLock, setDeviceLock, setPin, type Lock } from "./lock.ts";
import { useSurroundings } from "./surroundings.ts";
import { Button, Field, Said, Screen, Segments } from "./widgets.tsx";

export function SettingsScreen(): JSX.Element {
  const { language, speak } = useSurroundings();
  const options = languages().map(({ code, name }) => ({ value: code, label: name }));
  return (
    <Screen title={language.word("settings_title")} back={{ at: "home" }}>
      <section class="block">
        <h2>{language.word("language")}</h2>
        <Segments
          legend={language.word("language")}
          name="language"
          value={language.code}
          options={options}
          onChoose={(code) => void speak(code)}
        />
      </section>
      <LockPart />
    </Screen>
  );
}

function LockPart(): JSX.Element {
  const { language, wallet } = useSurroundings();
  const [lock, setLock] = useState<Lock | null>(null);
  const [isTyping, setTyping] = useState(false);
  const [canDevice, setCanDevice] = useState(false);
  const [said, say] = useState("");
  const load = useCallback(async () => {
    setLock(await lockOf(wallet));
    setTyping(false);
  }, [wallet]);
  useEffect(() => {
    void load();
    void hasDeviceCheck().then(setCanDevice);
  }, [load]);
  const useDevice = async (): Promise<void> => {
    const isSet = await setDeviceLock(wallet, language.word("title"));
    say(isSet ? "" : language.word("lock_device_failed"));
    await load();
  };
  return (
    <section class="block">
      <h2>{language.word("lock_title")}</h2>
      <p>{language.word("lock_intro")}</p>
      <p class="hint">{language.word("lock_honest")}</p>
      <Said>{said !== "" ? said : language.word(`lock_is_${lock?.kind ?? "none"}`)}</Said>
      {isTyping ? (
        <NewPin onSet={() => void load()} />
      ) : (
        <div class="stack">
          {lock === null && (
            <>
              <Button
                onPress={() => {
                  setTyping(true);
                }}
              >
                {language.word("lock_set_pin")}
              </Button>
              {canDevice ? (
                <Button onPress={() => void useDevice()}>{language.word("lock_set_device")}</Button>
              ) : (
                <p class="hint">{language.word("lock_device_missing")}</p>
              )}
            </>
          )}
          {lock !== null && (
            <Button kind="danger" onPress={() => void removeLock(wallet).then(load)}>
              {language.word("lock_remove")}
            </Button>
          )}
        </div>
      )}
    </section>
  );
}

function NewPin({ onSet }: { readonly onSet: () => void }): JSX.Element {
  const { language, wallet } = useSurroundings();
  const [pin, setText] = useState("");
  const [again, setAgain] = useState("");
  const [fault, setFault] = useState<string | null>(null);
  const save = async (): Promise<void> => {
    const wrong = !isPin(pin) ? "pin_short" : pin !== again ? "pin_differs" : null;
    setFault(wrong);
    if (wrong !== null) return;
    await setPin(wallet, pin);
    onSet();
  };
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <PinField label={language.word("pin_new")} value={pin} onType={setText} />
      <PinField label={language.word("pin_again")} value={again} onType={setAgain} />
      <p class="fault" role="alert">
        {fault !== null && language.word(fault)}
      </p>
      <Button kind="primary" submit>
        {language.word("pin_save")}
      </Button>
    </form>
  );
}

function PinField({
  label,
  value,
  onType,
}: {
  readonly label: string;
  readonly value: string;
  readonly onType: (text: string) => void;
}): JSX.Element {
  return (
    <Field label={label}>
      <input
        class="tx-code"
        type="password"
        inputMode="numeric"
        autocomplete="new-password"
        maxLength={12}
        value={value}
        onInput={({ currentTarget }) => {
          onType(currentTarget.value);
        }}
      />
    </Field>
  );
}
