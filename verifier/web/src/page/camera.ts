/** The camera: frame after frame to the reader, each text that is seen to whoever listens. */

import { pixelsOf, ReaderError, type CodeReader } from "./reading.ts";

const PAUSE = 60; // milliseconds between two frames, so that a phone stays cool
const SIZE = { width: { ideal: 1280 }, height: { ideal: 720 } };

// What cameras of phones have, and TypeScript's own list does not.
interface Abilities extends MediaTrackCapabilities {
  readonly torch?: boolean;
  readonly zoom?: { readonly min: number; readonly max: number; readonly step?: number };
}

/** Why there is no picture: the key of a sentence. */
export function cameraFault(error: unknown): string {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "camera_denied";
  return name === "NotFoundError" || name === "OverconstrainedError" ? "camera_missing" : "camera_failed";
}

export class Camera {
  readonly #video: HTMLVideoElement;
  readonly #reader: CodeReader;
  readonly #seen: (text: string, frameAt: number) => void;
  readonly #failed: () => void;
  readonly #canvas = document.createElement("canvas");
  #stream: MediaStream | null = null;
  #awake: WakeLockSentinel | null = null;

  /**
   * @param seen - Is told each text, and when the frame was taken that shows it.
   * @param failed - Is told that the camera stopped, since no frame can be read.
   */
  constructor(
    video: HTMLVideoElement,
    reader: CodeReader,
    seen: (text: string, frameAt: number) => void,
    failed: () => void,
  ) {
    this.#video = video;
    this.#reader = reader;
    this.#seen = seen;
    this.#failed = failed;
  }

  get isOn(): boolean {
    return this.#stream !== null;
  }

  /** Whether there is a light to switch on. */
  get hasTorch(): boolean {
    return this.#abilities.torch === true;
  }

  /** How far the camera can be brought near; null when it cannot. */
  get zoom(): Required<NonNullable<Abilities["zoom"]>> | null {
    const { zoom } = this.#abilities;
    return zoom === undefined || zoom.max <= zoom.min ? null : { step: 0.1, ...zoom };
  }

  /** Switches the light, or brings the picture near; whether the camera did. */
  async set(wanted: { readonly torch: boolean } | { readonly zoom: number }): Promise<boolean> {
    try {
      const constraints = { advanced: [wanted] } as MediaTrackConstraints;
      await this.#stream?.getVideoTracks()[0]?.applyConstraints(constraints);
      return this.isOn;
    } catch (error) {
      if (error instanceof DOMException) return false;
      throw error;
    }
  }

  get #abilities(): Abilities {
    const track = this.#stream?.getVideoTracks()[0];
    // Not in every browser.
    return track !== undefined && "getCapabilities" in track ? track.getCapabilities() : {};
  }

  /** Begins to look; throws a `DOMException` that `cameraFault` explains. */
  async start(): Promise<void> {
    if (this.isOn) return;
    const media = navigator.mediaDevices as MediaDevices | undefined;
    if (media === undefined) throw new DOMException("not a secure page", "NotAllowedError");
    this.#stream = await media.getUserMedia({ audio: false, video: { facingMode: "environment", ...SIZE } });
    this.#video.srcObject = this.#stream;
    await this.#video.play();
    void this.#stayAwake();
    void this.#lookOrFail(this.#stream);
  }

  stop(): void {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.#video.srcObject = null;
    void this.#awake?.release();
    this.#awake = null;
  }

  async #lookOrFail(stream: MediaStream): Promise<void> {
    try {
      await this.#look(stream);
    } catch (error) {
      if (!(error instanceof ReaderError)) throw error;
      this.stop();
      this.#failed();
    }
  }

  async #look(stream: MediaStream): Promise<void> {
    while (this.#stream === stream) {
      const { videoWidth: width, videoHeight: height } = this.#video;
      const frameAt = performance.now();
      if (width > 0 && !document.hidden) {
        const text = await this.#reader.read(pixelsOf(this.#video, width, height, this.#canvas));
        if (text !== null && this.#stream === stream) this.#seen(text, frameAt);
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }

  // The screen stays on while the camera looks; where the browser cannot, it does not matter.
  async #stayAwake(): Promise<void> {
    try {
      this.#awake = "wakeLock" in navigator ? await navigator.wakeLock.request("screen") : null;
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
    }
  }
}
