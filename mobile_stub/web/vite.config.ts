import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { parse } from "smol-toml";
import { build, type Plugin } from "vite";
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

/** The service worker in one file: not every browser takes workers that import. */
async function buildWorker(): Promise<string> {
  const built = await build({
    configFile: false,
    root: import.meta.dirname,
    publicDir: false,
    logLevel: "warn",
    plugins: [toml()],
    build: {
      target: "es2022",
      write: false,
      modulePreload: { polyfill: false },
      rolldownOptions: {
        input: "src/worker/service_worker.ts",
        output: { format: "iife", codeSplitting: false },
      },
    },
  });
  const [output] = Array.isArray(built) ? built : [built];
  if (!("output" in output)) throw new Error("the service worker was not built");
  return output.output[0].code;
}

/** Adds the service worker, which knows every file and a version that changes with any of them. */
function serviceWorker(): Plugin {
  return {
    name: "service-worker",
    apply: "build",
    enforce: "post",
    async generateBundle(_, bundle) {
      const worker = await buildWorker();
      const hash = createHash("sha256").update(worker);
      const files = ["./"];
      for (const [name, file] of Object.entries(bundle).sort()) {
        hash.update(name).update(file.type === "chunk" ? file.code : file.source);
        if (name !== "index.html") files.push(`./${name}`);
      }
      const folder = join(import.meta.dirname, "public");
      for (const name of readdirSync(folder).sort()) {
        hash.update(readFileSync(join(folder, name)));
        files.push(`./${name}`);
      }
      const version = hash.digest("hex").slice(0, 16);
      const told = `const FILES=${JSON.stringify(files)},VERSION=${JSON.stringify(version)};`;
      this.emitFile({ type: "asset", fileName: "sw.js", source: told + worker });
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
      input: "index.html",
      output: { entryFileNames: "assets/[name]-[hash].js" },
    },
  },
  test: {
    teardownTimeout: 120_000,
    cache: false, // two runs at once share no file, and the order is always the same
    projects: [
      {
        extends: true,
        test: {
          name: "formats",
          include: ["tests/*.test.ts"],
          testTimeout: 600_000 + 1000 * Number(process.env["ESC_FUZZ_SECONDS"] ?? "0"),
        },
      },
      {
        extends: true,
        test: {
          name: "browser",
          include: ["tests/browser/*.test.ts"],
          globalSetup: "tests/browser/run_services.ts",
          fileParallelism: false, // one wire to the one deployment
          // Only what hangs ends by these: how fast a machine is, is not what is tested.
          testTimeout: 900_000,
          hookTimeout: 600_000,
          expect: { poll: { timeout: 60_000 } },
        },
      },
    ],
  },
});
