/** A sound and a vibration for each outcome: told apart without looking. */

import type { Outcome } from "./desk.ts";

// Frequencies in hertz, one after the other; rising is good, falling is not.
const TONES: Readonly<Record<Outcome, readonly number[]>> = {
  valid: [660, 990],
  warned: [660, 660, 520],
  refused: [220, 165],
};
const VIBRATIONS: Readonly<Record<Outcome, number[]>> = {
  valid: [80],
  warned: [80, 80, 80],
  refused: [400],
};
const TONE_SECONDS = 0.14;

export class Signals {
  #audio: AudioContext | null = null;

  /** Browsers let a page sound only after a person did something on it. */
  allow(): void {
    this.#audio ??= new AudioContext();
    void this.#audio.resume();
  }

  give(outcome: Outcome, { sounds, vibration }: { sounds: boolean; vibration: boolean }): void {
    if (vibration && "vibrate" in navigator) navigator.vibrate(VIBRATIONS[outcome]);
    if (sounds && this.#audio?.state === "running") play(this.#audio, TONES[outcome]);
  }
}

function play(audio: AudioContext, tones: readonly number[]): void {
  tones.forEach((frequency, i) => {
    const start = audio.currentTime + i * TONE_SECONDS;
    const [tone, volume] = [audio.createOscillator(), audio.createGain()];
    tone.frequency.value = frequency;
    volume.gain.setValueAtTime(0.3, start);
    volume.gain.exponentialRampToValueAtTime(0.001, start + TONE_SECONDS);
    tone.connect(volume).connect(audio.destination);
    tone.start(start);
    tone.stop(start + TONE_SECONDS);
  });
}
