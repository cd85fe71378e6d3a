/** JSON from the other side: any value, but no member named twice. */

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json | undefined;
}

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** The value; undefined for what is not JSON or names a member twice. */
export function parseJson(content: Uint8Array | string): Json | undefined {
  try {
    const text = typeof content === "string" ? content : UTF8.decode(content);
    const value = JSON.parse(text) as Json;
    return namesTwice(text) ? undefined : value;
  } catch {
    return undefined; // SyntaxError, TypeError of UTF-8, RangeError of endless nesting
  }
}

/** The object in this JSON; undefined for anything else. */
export function parseJsonObject(content: Uint8Array | string): JsonObject | undefined {
  const value = parseJson(content);
  return isObject(value) ? value : undefined;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

export function textOf(value: Json | undefined): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

// A text, and whether a colon after it makes it a name; or what opens and closes.
const TOKENS = /"((?:[^"\\]|\\.)*)"\s*(:?)|[{}[\]]/g;

/** Whether an object of this well-formed JSON has a name twice, which `JSON.parse` forgets. */
function namesTwice(text: string): boolean {
  const open: Set<string>[] = [];
  for (const [token, inner, colon] of text.matchAll(TOKENS)) {
    if (token === "{" || token === "[") open.push(new Set());
    else if (token === "}" || token === "]") open.pop();
    else if (colon === ":") {
      const names = open.at(-1);
      const name = String(JSON.parse(`"${inner ?? ""}"`));
      if (names?.has(name) === true) return true;
      names?.add(name);
    }
  }
  return false;
}
