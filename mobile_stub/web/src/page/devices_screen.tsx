/** The phones that have this card, and ending one. */

import type { JSX } from "preact";
import { useCallback, useState } from "preact/hooks";

import type { DeviceOfCard, WalletCard } from "../model.ts";
import { useLoaded } from "./hooks.ts";
import { useSurroundings } from "./surroundings.ts";
import { Asking, Button, Drawing, DRAWINGS, Field, Said, Screen } from "./widgets.tsx";

interface Known {
  readonly atOnce: number;
  readonly devices: readonly DeviceOfCard[];
}

export function DevicesScreen({ card }: { readonly card: WalletCard }): JSX.Element {
  const { language, wallet } = useSurroundings();
  const [said, say] = useState("");
  const loaded = useLoaded<Known>(useCallback(() => wallet.devices(card.id), [wallet, card.id]));
  const { value: known } = loaded;
  const act = async (key: string, work: () => Promise<void>): Promise<void> => {
    say("");
    if (await loaded.change(work)) say(language.word(key));
  };
  return (
    <Screen title={language.word("devices_title")} back={{ at: "card-page", card: card.id, page: "menu" }}>
      {known !== null && (
        <>
          <p>{language.word("devices_intro", { count: known.atOnce })}</p>
          <ul class="plain-list stack">
            {known.devices.map((device) => (
              <Device
                key={device.id}
                device={device}
                onEnd={() => void act("device_ended_done", () => wallet.endDevice(card.id, device.id))}
              />
            ))}
          </ul>
          <NameOfThis
            name={known.devices.find(({ isThis }) => isThis)?.name ?? ""}
            onSave={(name) => void act("device_saved", () => wallet.nameDevice(card.id, name))}
          />
        </>
      )}
      <Asking of={loaded} />
      <Said>{said}</Said>
    </Screen>
  );
}

function Device({
  device,
  onEnd,
}: {
  readonly device: DeviceOfCard;
  readonly onEnd: () => void;
}): JSX.Element {
  const { language } = useSurroundings();
  const [isAsking, ask] = useState(false);
  const name = device.name ?? language.word(device.isThis ? "device_this" : "device_unnamed");
  return (
    <li class="tile">
      <Drawing path={DRAWINGS.phone} />
      <div class="tile-words">
        <p class="strong">{name}</p>
        <p class="hint">
          {language.word("device_added", { day: language.day(device.addedAt) })}
          {device.renewedAt !== null &&
            `, ${language.word("device_renewed", { day: language.day(device.renewedAt) })}`}
        </p>
        {device.isThis && device.name !== null && <p class="hint">{language.word("device_this")}</p>}
      </div>
      {!device.isThis && !isAsking && (
        <Button
          kind="danger"
          label={`${language.word("device_end")}: ${name}`}
          onPress={() => {
            ask(true);
          }}
        >
          {language.word("device_end")}
        </Button>
      )}
      {isAsking && (
        <div class="sure" role="alert">
          <p>{language.word("device_end_sure", { name })}</p>
          <div class="row">
            <Button kind="danger" onPress={onEnd}>
              {language.word("device_end_now")}
            </Button>
            <Button
              onPress={() => {
                ask(false);
              }}
            >
              {language.word("cancel")}
            </Button>
          </div>
        </div>
      )}
    </li>
  );
}

function NameOfThis({
  name,
  onSave,
}: {
  readonly name: string;
  readonly onSave: (name: string) => void;
}): JSX.Element {
  const { language } = useSurroundings();
  const [text, setText] = useState(name);
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim() !== "") onSave(text.trim());
      }}
    >
      <Field label={language.word("device_name")}>
        <input
          value={text}
          maxLength={60}
          autocomplete="off"
          onInput={({ currentTarget }) => {
            setText(currentTarget.value);
          }}
        />
      </Field>
      <Button submit>{language.word("device_save")}</Button>
    </form>
  );
}
