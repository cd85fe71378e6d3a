/** Reading a code with the camera, which is off until it is asked for. */

import type { JSX } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";

import { readCode } from "../codes/scanning.ts";
import { useSurroundings } from "./surroundings.ts";
import { Button } from "./widgets.tsx";

const PAUSE = 120; // milliseconds between two pictures, so that the phone stays cool
const SIZE = { width: { ideal: 1280 }, height: { ideal: 720 } };

interface CameraProps {
  /** What to do with it: the key of a text. */
  readonly aim?: string;
  readonly onSeen: (text: string) => void;
}

export function OfferCamera({ aim = "add_aim", onSeen }: CameraProps): JSX.Element {
  const { language } = useSurroundings();
  const [isOn, setOn] = useState(false);
  const [fault, setFault] = useState<string | null>(null);
  const stop = useCallback(() => {
    setOn(false);
  }, []);
  return (
    <div class="stack">
      {isOn ? (
        <Viewfinder aim={aim} onSeen={onSeen} onFault={setFault} onStop={stop} />
      ) : (
        <Button
          kind="primary"
          onPress={() => {
            setFault(null);
            setOn(true);
          }}
        >
          {language.word("add_scan")}
        </Button>
      )}
      <p class="fault" role="alert">
        {fault !== null && language.word(fault)}
      </p>
    </div>
  );
}

interface ViewfinderProps {
  readonly aim: string;
  readonly onSeen: (text: string) => void;
  readonly onFault: (key: string) => void;
  readonly onStop: () => void;
}

function Viewfinder({ aim, onSeen, onFault, onStop }: ViewfinderProps): JSX.Element {
  const { language } = useSurroundings();
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const looking = new AbortController();
    const look = async (): Promise<void> => {
      if (video.current === null) return;
      const text = await firstCode(video.current, looking.signal);
      if (text !== null) onSeen(text);
    };
    look().catch((error: unknown) => {
      if (!(error instanceof DOMException)) throw error;
      onFault(cameraFault(error));
      onStop();
    });
    return () => {
      looking.abort();
    };
  }, [onSeen, onFault, onStop]);
  return (
    <div class="finder">
      <video ref={video} muted playsInline aria-label={language.word(aim)} />
      <p>{language.word(aim)}</p>
      <Button onPress={onStop}>{language.word("add_stop")}</Button>
    </div>
  );
}

/** The first code that the camera sees, or null when it was stopped before. */
async function firstCode(video: HTMLVideoElement, signal: AbortSignal): Promise<string | null> {
  const media = navigator.mediaDevices as MediaDevices | undefined;
  if (media === undefined) throw new DOMException("not a secure page", "NotAllowedError");
  const stream = await media.getUserMedia({ audio: false, video: { facingMode: "environment", ...SIZE } });
  const isWanted = (): boolean => !signal.aborted;
  try {
    if (!isWanted()) return null;
    video.srcObject = stream;
    await video.play();
    while (isWanted()) {
      const text = video.videoWidth === 0 || document.hidden ? null : await readCode(video);
      if (text !== null) return isWanted() ? text : null;
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
    return null;
  } finally {
    for (const track of stream.getTracks()) track.stop();
  }
}

/** Why there is no picture: the key of a sentence. */
function cameraFault(error: DOMException): string {
  if (error.name === "NotAllowedError" || error.name === "SecurityError") return "camera_denied";
  const isMissing = error.name === "NotFoundError" || error.name === "OverconstrainedError";
  return isMissing ? "camera_missing" : "camera_failed";
}
