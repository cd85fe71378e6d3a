/** The camera: frame after frame to the reader, each text that is seen to whoever listens. */

import { pixelsOf, ReaderError, type CodeReader } from "./reading.ts";

const PAUSE = 60; // milliseconds between two frames, so that a phone stays cool
const SIZE = { width: { ideal: 1280 }, height: { ideal: 720 } };

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
