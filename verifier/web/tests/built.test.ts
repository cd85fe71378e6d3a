/** What was built: small enough, whole for the service worker, and nothing of anybody else's. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { describe, expect, it } from "vitest";

const BUILT = join(import.meta.dirname, "../dist");
const MOST_BYTES = 700 * 1024;

describe.runIf(existsSync(BUILT))("the built page", () => {
  const files = existsSync(BUILT) ? readdirSync(BUILT, { recursive: true, encoding: "utf8" }) : [];
  const paths = files.filter((name) => name.includes("."));

  it("has at most 700 KB, compressed", () => {
    const sizes = paths.map((name) => gzipSync(readFileSync(join(BUILT, name))).length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(MOST_BYTES);
  });

  it("is kept for offline with every file", () => {
    const worker = readFileSync(join(BUILT, "sw.js"), "utf8");
    for (const name of paths.filter((one) => one !== "sw.js" && one !== "index.html")) {
      expect(worker).toContain(`"./${name}"`);
    }
    expect(worker).toContain('"./"');
  });

  it("can be installed: a manifest with its own icons, opened as an app", () => {
    const manifest = JSON.parse(readFileSync(join(BUILT, "manifest.webmanifest"), "utf8")) as {
      display: string;
      icons: { src: string; sizes: string; purpose: string }[];
    };
    expect(readFileSync(join(BUILT, "index.html"), "utf8")).toContain('rel="manifest"');
    expect(manifest.display).toBe("standalone");
    expect(manifest.icons.map(({ purpose }) => purpose)).toContain("maskable");
    for (const { src, sizes } of manifest.icons) {
      const png = readFileSync(join(BUILT, src));
      expect(`${png.readUInt32BE(16)}x${png.readUInt32BE(20)}`).toBe(sizes);
    }
  });

  it("has the policy of the server's header, without what only a header can say", () => {
    const page = readFileSync(join(BUILT, "index.html"), "utf8");
    const policy = /content="(default-src[^"]*)"/.exec(page)?.[1];
    const server = readFileSync(join(import.meta.dirname, "../../cli/web.py"), "utf8");
    const header = /"Content-Security-Policy": ((?:\s*"[^\n]*"\s*)+)/.exec(server)?.[1] ?? "";
    const parts = [...header.matchAll(/"([^\n]*)"/g)].map(([, part]) => part).join("");
    expect(parts).toBe(`${policy}; frame-ancestors 'none'`);
  });
});
