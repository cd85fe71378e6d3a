/** What several screens need of the browser. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";

import { WalletRefusal } from "../model.ts";
import { now } from "./surroundings.ts";

/** The time, told anew every so many milliseconds while the page is seen. */
export function useTime(every: number): number {
  const [time, setTime] = useState(now);
  useEffect(() => {
    const tell = (): void => {
      if (!document.hidden) setTime(now());
    };
    const timer = setInterval(tell, every);
    document.addEventListener("visibilitychange", tell);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", tell);
    };
  }, [every]);
  return time;
}

/** The address of a picture; the picture before stays until the new one can be drawn. */
export function usePicture(blob: Blob | null): string | null {
  const [address, setAddress] = useState<string | null>(null);
  const shown = useRef<string | null>(null);
  useEffect(() => {
    let isWanted = true;
    const show = (next: string | null): void => {
      const before = shown.current;
      shown.current = next;
      setAddress(next);
      if (before !== null) URL.revokeObjectURL(before);
    };
    if (blob === null) show(null);
    else
      void drawable(blob).then((next) => {
        if (isWanted) show(next);
        else if (next !== null) URL.revokeObjectURL(next);
      });
    return () => {
      isWanted = false;
    };
  }, [blob]);
  return address;
}

/** An address that can be drawn at once, or null: the bytes are no picture. */
async function drawable(blob: Blob): Promise<string | null> {
  const address = URL.createObjectURL(blob);
  const image = new Image();
  image.src = address;
  try {
    await image.decode();
    return address;
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    URL.revokeObjectURL(address);
    return null;
  }
}

/** The screen stays on while a code is shown; where the browser cannot, it does not matter. */
export function useScreenOn(isWanted: boolean): void {
  useEffect(() => {
    if (!isWanted || !("wakeLock" in navigator)) return;
    let lock: WakeLockSentinel | null = null;
    let isOver = false;
    const ask = async (): Promise<void> => {
      if (document.hidden || lock?.released === false) return;
      try {
        const given = await navigator.wakeLock.request("screen");
        if (isOver) await given.release();
        else lock = given;
      } catch (error) {
        if (!(error instanceof DOMException)) throw error;
      }
    };
    const again = (): void => void ask(); // the browser takes it back when the page is hidden
    again();
    document.addEventListener("visibilitychange", again);
    return () => {
      isOver = true;
      document.removeEventListener("visibilitychange", again);
      void lock?.release();
    };
  }, [isWanted]);
}

export interface Task {
  readonly isBusy: boolean;
  readonly refusal: WalletRefusal | null;
  readonly run: (work: () => Promise<void>) => Promise<boolean>;
}

/** Something that may be refused: what was refused is for the screen, all else is a fault. */
export function useTask(): Task {
  const [isBusy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<WalletRefusal | null>(null);
  const run = useCallback(async (work: () => Promise<void>): Promise<boolean> => {
    setBusy(true);
    setRefusal(null);
    try {
      await work();
      return true;
    } catch (error) {
      if (!(error instanceof WalletRefusal)) throw error;
      setRefusal(error);
      return false;
    } finally {
      setBusy(false);
    }
  }, []);
  return { isBusy, refusal, run };
}

export interface Loaded<Value> extends Task {
  /** null until it was told; what was told last stays when asking again fails. */
  readonly value: Value | null;
  readonly load: () => Promise<boolean>;
  /** Does something, then asks again how it is now; whether both succeeded. */
  readonly change: (work: () => Promise<void>) => Promise<boolean>;
}

/** What a screen has to ask for before it can show anything. `ask` is the same one until it changes. */
export function useLoaded<Value>(ask: () => Promise<Value>): Loaded<Value> {
  const [value, setValue] = useState<Value | null>(null);
  const task = useTask();
  const { run } = task;
  const load = useCallback(
    () =>
      run(async () => {
        setValue(await ask());
      }),
    [run, ask],
  );
  const change = useCallback(
    async (work: () => Promise<void>) => (await run(work)) && (await load()),
    [run, load],
  );
  useEffect(() => void load(), [load]);
  return { ...task, value, load, change };
}
