/** How the wallet itself is: what it keeps, whether it has network, what it tells whom. */

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import { useTask } from "./hooks.ts";
import { HowToInstall } from "./install.tsx";
import { useSurroundings } from "./surroundings.ts";
import { Button, Refused, Screen } from "./widgets.tsx";

export function AboutScreen(): JSX.Element {
  const { language, isOnline, updateWaiting } = useSurroundings();
  return (
    <Screen title={language.word("about_title")} back={{ at: "home" }}>
      {updateWaiting !== null && (
        <div class="message">
          <p>{language.word("update_waiting")}</p>
          <Button kind="primary" onPress={updateWaiting}>
            {language.word("update_take")}
          </Button>
        </div>
      )}
      <section class="block">
        <h2>{language.word("about_network")}</h2>
        <p>{language.word(isOnline ? "about_online" : "about_offline")}</p>
      </section>
      <StoragePart />
      <section class="block">
        <h2>{language.word("install_title")}</h2>
        <HowToInstall />
      </section>
      <PushPart />
      <section class="block">
        <h2>{language.word("about_privacy")}</h2>
        <p>{language.word("about_privacy_text")}</p>
      </section>
    </Screen>
  );
}

function StoragePart(): JSX.Element {
  const { language } = useSurroundings();
  const [isKept, setKept] = useState<boolean | null>(null);
  useEffect(() => void navigator.storage.persisted().then(setKept), []);
  return (
    <section class="block">
      <h2>{language.word("about_storage")}</h2>
      {isKept !== null && (
        <p role="status">{language.word(isKept ? "about_persistent" : "about_not_persistent")}</p>
      )}
      {isKept === false && (
        <Button onPress={() => void navigator.storage.persist().then(setKept)}>
          {language.word("about_persist")}
        </Button>
      )}
    </section>
  );
}

function PushPart(): JSX.Element | null {
  const { language, wallet, cards } = useSurroundings();
  const [isAllowed, setAllowed] = useState<boolean | null>(null);
  const task = useTask();
  const living = cards.filter(({ endedAs }) => endedAs === null);
  if (living.length === 0) return null;
  const ask = (): void => {
    void task.run(async () => {
      const answers: boolean[] = [];
      for (const { id } of living) answers.push(await wallet.followByPush(id));
      setAllowed(answers.some((one) => one));
    });
  };
  return (
    <section class="block">
      <h2>{language.word("about_push")}</h2>
      <p>{language.word("about_push_text")}</p>
      {isAllowed === null ? (
        <Button isBusy={task.isBusy} onPress={ask}>
          {language.word("about_push_on")}
        </Button>
      ) : (
        <p role="status">{language.word(isAllowed ? "about_push_yes" : "about_push_no")}</p>
      )}
      <Refused refusal={task.refusal} />
    </section>
  );
}
