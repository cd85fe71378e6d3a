/** Light and nearness, where the camera has them. */

import type { Camera } from "./camera.ts";
import { field, h } from "./dom.ts";
import type { Language } from "./languages.ts";

export function cameraControls(camera: Camera, language: Language): HTMLElement[] {
  const controls = [torchButton(camera, language), zoomField(camera, language)];
  return controls.filter((control) => control !== null);
}

function torchButton(camera: Camera, language: Language): HTMLElement | null {
  if (!camera.hasTorch) return null;
  let isLit = false;
  const button = h("button", { type: "button", "aria-pressed": "false" }, language.word("torch"));
  const toggle = async () => {
    if (await camera.set({ torch: !isLit })) isLit = !isLit;
    button.setAttribute("aria-pressed", String(isLit));
  };
  button.addEventListener("click", () => void toggle());
  return button;
}

function zoomField(camera: Camera, language: Language): HTMLElement | null {
  const { zoom } = camera;
  if (zoom === null) return null;
  const [min, max, step] = [zoom.min, zoom.max, zoom.step].map(String);
  const slider = h("input", { type: "range", min: min ?? "", max: max ?? "", step: step ?? "" });
  slider.value = min ?? "";
  slider.addEventListener("input", () => void camera.set({ zoom: Number(slider.value) }));
  return field(language.word("zoom"), slider);
}
