/** Putting the wallet on the home screen: where browsers do not forget what it keeps. */

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import { useSurroundings } from "./surroundings.ts";

/** What Chromium gives to pages that can be installed. */
interface InstallEvent extends Event {
  prompt(): Promise<{ readonly outcome: "accepted" | "dismissed" }>;
}

let offered: InstallEvent | null = null;
const listeners = new Set<() => void>();

/** Called at the start: the browser offers once. */
export function listenToInstallOffer(): void {
  window.addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    offered = event as InstallEvent;
    for (const tell of listeners) tell();
  });
}

export function isInstalled(): boolean {
  const isHomeScreen = (navigator as { standalone?: boolean }).standalone === true; // iOS
  return isHomeScreen || matchMedia("(display-mode: standalone)").matches;
}

function isApplePhone(): boolean {
  const isTablet = navigator.userAgent.includes("Macintosh") && navigator.maxTouchPoints > 1;
  return isTablet || /iPhone|iPad|iPod/.test(navigator.userAgent);
}

function useOffer(): InstallEvent | null {
  const [offer, setOffer] = useState(offered);
  useEffect(() => {
    const tell = (): void => {
      setOffer(offered);
    };
    listeners.add(tell);
    return () => {
      listeners.delete(tell);
    };
  }, []);
  return offer;
}

const SETTING = "install-hint";

/** Asked after the first card, until it is done or put off. */
export function InstallHint(): JSX.Element | null {
  const { language, wallet } = useSurroundings();
  const [isWanted, setWanted] = useState(false);
  useEffect(() => {
    void wallet.setting(SETTING).then((kept) => {
      setWanted(kept !== "later" && !isInstalled());
    });
  }, [wallet]);
  if (!isWanted) return null;
  const later = (): void => {
    setWanted(false);
    void wallet.keepSetting(SETTING, "later");
  };
  return (
    <section class="message install" aria-labelledby="install-title">
      <h2 id="install-title">{language.word("install_title")}</h2>
      <p>{language.word("install_why")}</p>
      <HowToInstall />
      <button type="button" class="button quiet" onClick={later}>
        {language.word("install_later")}
      </button>
    </section>
  );
}

/** A button where the browser has one for us, else the steps. */
export function HowToInstall(): JSX.Element {
  const { language } = useSurroundings();
  const offer = useOffer();
  if (isInstalled()) return <p>{language.word("install_done")}</p>;
  if (offer !== null) {
    const ask = (): void => {
      void offer.prompt();
      offered = null;
      for (const tell of listeners) tell();
    };
    return (
      <button type="button" class="button primary" onClick={ask}>
        {language.word("install_now")}
      </button>
    );
  }
  if (!isApplePhone()) return <p>{language.word("install_other")}</p>;
  return (
    <ol class="steps">
      {["install_ios_1", "install_ios_2", "install_ios_3"].map((step) => (
        <li key={step}>{language.word(step)}</li>
      ))}
    </ol>
  );
}
