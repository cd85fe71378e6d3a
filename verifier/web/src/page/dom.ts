/** Making elements; text only ever becomes text. */

type Attributes = Readonly<Record<string, string | boolean | ((event: Event) => void)>>;
type Child = Node | string | null;

/** An element with attributes (functions listen) and children. */
export function h<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** An SVG drawing of 24 by 24 that says nothing: what it means stands beside it in words. */
export function drawing(kind: string, path: string): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  line.setAttribute("d", path);
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", `drawing ${kind}`);
  svg.append(line);
  return svg;
}

/** A label and what it names. */
export function field(label: string, control: HTMLElement): HTMLLabelElement {
  return h("label", { class: "field" }, h("span", {}, label), control);
}

/** A box to tick, with its label. */
export function checkbox(
  label: string,
  isOn: boolean,
  changed: (isOn: boolean) => void,
  attributes: Attributes = {},
): HTMLLabelElement {
  const input = h("input", {
    ...attributes,
    type: "checkbox",
    checked: isOn,
    change: () => {
      changed(input.checked);
    },
  });
  return h("label", { class: "field inline" }, input, h("span", {}, label));
}

/** A button that opens the choice of a file. */
export function fileButton(
  label: string,
  accept: string,
  take: (file: File) => void,
  attributes: Attributes = {},
): HTMLElement {
  const input = h("input", {
    ...attributes,
    type: "file",
    accept,
    class: "file",
    change: () => {
      for (const file of input.files ?? []) take(file);
      input.value = "";
    },
  });
  return h("label", { class: "button file-button" }, input, label);
}
