declare module "*.toml" {
  const texts: import("./languages.ts").Texts;
  export default texts;
}
