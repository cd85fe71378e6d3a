/** What Vite makes of files that are not TypeScript. */

declare module "*/cli/languages/en.toml" {
  const texts: import("./languages.ts").SharedTexts;
  export default texts;
}
declare module "*/cli/languages/lv.toml" {
  const texts: import("./languages.ts").SharedTexts;
  export default texts;
}
declare module "*/page.en.toml" {
  const texts: Record<string, string>;
  export default texts;
}
declare module "*/page.lv.toml" {
  const texts: Record<string, string>;
  export default texts;
}
declare module "*.toml?raw" {
  const text: string;
  export default text;
}
declare module "*.wasm?url" {
  const address: string;
  export default address;
}
interface ImportMeta {
  glob<Content>(
    pattern: string,
    options: { query: string; import: string; eager: true },
  ): Record<string, Content>;
}
