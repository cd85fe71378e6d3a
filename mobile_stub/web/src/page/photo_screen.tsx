/** The student's photo: choosing, cutting, a preview as the university would see it, sending. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { WalletRefusal, type OwnPhoto, type WalletCard } from "../model.ts";
import { Photo } from "./card_face.tsx";
import { cropOf, WHOLE, type Cut } from "./crop.ts";
import { usePicture, useTask } from "./hooks.ts";
import { PhotoCutter } from "./photo_cutter.tsx";
import { useSurroundings } from "./surroundings.ts";
import { Button, Refused, Said, Screen } from "./widgets.tsx";

const MOST_BYTES = 8 * 1024 * 1024;
const MOST_PIXELS = 40_000_000;

interface Chosen {
  readonly file: File;
  readonly picture: ImageBitmap;
}

export function PhotoScreen({ card }: { readonly card: WalletCard }): JSX.Element {
  const { language } = useSurroundings();
  return (
    <Screen title={language.word("photo_title")} back={{ at: "card-page", card: card.id, page: "menu" }}>
      <div class="photo-now">
        <Photo card={card} />
        <p>{language.word(card.photo === null ? "photo_none" : "photo_current")}</p>
      </div>
      {card.ownPhoto === null ? (
        <p>{language.word("photo_by_institution")}</p>
      ) : (
        <OwnPhotoPart card={card} own={card.ownPhoto} />
      )}
    </Screen>
  );
}

function OwnPhotoPart({ card, own }: { readonly card: WalletCard; readonly own: OwnPhoto }): JSX.Element {
  const { language, wallet } = useSurroundings();
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const [said, say] = useState("");
  const task = useTask();
  const choose = (file: File): void => {
    say("");
    void task.run(async () => {
      setChosen({ file, picture: await pictureOf(file) });
    });
  };
  return (
    <>
      <StateOfPhoto own={own} />
      {own.state === "waiting" && chosen === null && (
        <Button isBusy={task.isBusy} onPress={() => void task.run(() => wallet.takeBackPhoto(card.id))}>
          {language.word("photo_take_back")}
        </Button>
      )}
      {chosen === null ? (
        <>
          <p>{language.word("photo_intro")}</p>
          <FileChoice onChoose={choose} label={language.word("photo_choose")} />
          <p class="hint">{language.word("photo_rules")}</p>
        </>
      ) : (
        <CutAndSend
          card={card}
          chosen={chosen}
          onOther={choose}
          onSent={() => {
            setChosen(null);
            say(language.word("photo_sent"));
          }}
        />
      )}
      <Refused refusal={task.refusal} />
      <Said>{said}</Said>
    </>
  );
}

function StateOfPhoto({ own }: { readonly own: OwnPhoto }): JSX.Element | null {
  const { language } = useSurroundings();
  if (own.state === "none") return null;
  return (
    <div class="message">
      <p class="strong">{language.word(`photo_${own.state}`)}</p>
      {own.reason !== null && <p>{language.word("reason", { reason: own.reason })}</p>}
    </div>
  );
}

interface CutAndSendProps {
  readonly card: WalletCard;
  readonly chosen: Chosen;
  readonly onOther: (file: File) => void;
  readonly onSent: () => void;
}

function CutAndSend({ card, chosen, onOther, onSent }: CutAndSendProps): JSX.Element {
  const { language, wallet } = useSurroundings();
  const [cut, setCut] = useState<Cut>(WHOLE);
  const [preview, setPreview] = useState<Blob | null>(null);
  const address = usePicture(preview);
  const task = useTask();
  const crop = cropOf(cut, chosen.picture.width, chosen.picture.height);
  const look = (): void => {
    void task.run(async () => {
      setPreview(await wallet.previewPhoto(card.id, chosen.file, crop));
    });
  };
  const send = async (): Promise<void> => {
    if (await task.run(() => wallet.sendPhoto(card.id, chosen.file, crop))) onSent();
  };
  return (
    <section class="stack" aria-labelledby="cut-title">
      <h2 id="cut-title">{language.word("photo_crop")}</h2>
      <PhotoCutter
        picture={chosen.picture}
        cut={cut}
        onCut={(next) => {
          setCut(next);
          setPreview(null);
        }}
      />
      {address !== null && (
        <img class="photo preview" src={address} alt={language.word("photo_preview_alt")} />
      )}
      <Refused refusal={task.refusal} />
      <div class="row">
        {preview === null ? (
          <Button kind="primary" isBusy={task.isBusy} onPress={look}>
            {language.word("photo_preview")}
          </Button>
        ) : (
          <Button kind="primary" isBusy={task.isBusy} onPress={() => void send()}>
            {language.word("photo_send")}
          </Button>
        )}
        <FileChoice onChoose={onOther} label={language.word("photo_other")} />
      </div>
    </section>
  );
}

function FileChoice({
  label,
  onChoose,
}: {
  readonly label: string;
  readonly onChoose: (file: File) => void;
}): JSX.Element {
  return (
    <label class="button file-button">
      <input
        type="file"
        class="file"
        accept="image/jpeg,image/png,image/webp"
        onChange={({ currentTarget }) => {
          const file = currentTarget.files?.[0];
          if (file !== undefined) onChoose(file);
          currentTarget.value = "";
        }}
      />
      <span>{label}</span>
    </label>
  );
}

/** The picture, turned as it was taken; the service checks the file itself. */
async function pictureOf(file: File): Promise<ImageBitmap> {
  if (file.size > MOST_BYTES) throw new WalletRefusal("image-too-large");
  const picture = await decoded(file);
  if (picture.width * picture.height > MOST_PIXELS) throw new WalletRefusal("image-too-large");
  return picture;
}

async function decoded(file: File): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch (error) {
    if (error instanceof DOMException) throw new WalletRefusal("not-an-image");
    throw error;
  }
}
