import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { parse } from "smol-toml";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** TOML files as objects. */
function toml(): Plugin {
  return {
    name: "toml",
    transform(code, id) {
      if (!id.endsWith(".toml")) return null;
      return { code: `export default ${JSON.stringify(parse(code))}`, map: null };
    },
  };
}

/** Tells the service worker every file of the page, and a version that changes with any of them. */
function serviceWorker(): Plugin {
  return {
    name: "service-worker",
    apply: "build",
    enforce: "post",
    generateBundle(_, bundle) {
      const worker = bundle["sw.js"];
      if (worker?.type !== "chunk") throw new Error("the service worker is missing");
      const hash = createHash("sha256");
      const files = ["./"];
      for (const [name, file] of Object.entries(bundle).sort()) {
        hash.update(name).update(file.type === "chunk" ? file.code : file.source);
        if (name !== "sw.js" && name !== "index.html") files.push(`./${name}`);
      }
      const folder = join(import.meta.dirname, "public");
      for (const name of readdirSync(folder).sort()) {
        hash.update(readFileSync(join(folder, name)));
        files.push(`./${name}`);
      }
      const version = hash.digest("hex").slice(0, 16);
      const told = `const FILES=${JSON.stringify(files)},VERSION=${JSON.stringify(version)};`;
      worker.code = told + worker.code;
    },
  };
}

export default defineConfig({
  base: "./",
  plugins: [toml(), serviceWorker()],
  build: {
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: { page: "index.html", sw: "src/worker/service_worker.ts" },
      output: { entryFileNames: ({ name }) => (name === "sw" ? "sw.js" : "assets/[name]-[hash].js") },
    },
  },
  worker: { format: "es" },
  test: {
    include: ["tests/**/*.test.ts"],
    // Only what hangs ends by these: how fast a machine is, is not what is tested. A test tries two
    // properties at most.
    testTimeout: 600_000 + 2000 * Number(process.env["ESC_FUZZ_SECONDS"] ?? "0"),
    hookTimeout: 600_000,
    teardownTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    cache: false, // two runs at once share no file, and the order is always the same
  },
});
