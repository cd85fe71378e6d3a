/** What was built: small, in files that the page's own policy allows, and all of it kept for offline. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { expect, test } from "vitest";

import { runPython } from "./python.ts";

const BUILT = join(import.meta.dirname, "../dist");
const MAX_BYTES = 200 * 1024; // compressed, all together

function files(): string[] {
  return readdirSync(BUILT, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(BUILT.length + 1));
}

function textOf(name: string): string {
  return readFileSync(join(BUILT, name), "utf8");
}

test("all files together are at most 200 KB, compressed", () => {
  const sizes = files().map((name) => gzipSync(readFileSync(join(BUILT, name)), { level: 9 }).length);
  const size = sizes.reduce((sum, one) => sum + one, 0);
  process.stdout.write(`the web wallet: ${(size / 1024).toFixed(0)} KB compressed\n`);
  expect(size).toBeLessThanOrEqual(MAX_BYTES);
});

test("the service worker is one file that every browser takes, and knows all others", () => {
  const worker = textOf("sw.js");
  expect(worker).not.toMatch(/\bimport\s*[("'{*]/);
  const told: unknown = JSON.parse(/const FILES=(\[.*?\])/.exec(worker)?.[1] ?? "null");
  const own = ["index.html", "sw.js"];
  const others = files().filter((name) => !own.includes(name));
  expect(new Set(told as string[])).toEqual(new Set(["./", ...others.map((name) => `./${name}`)]));
});

test("nothing is inline and nothing is of third parties", () => {
  const page = textOf("index.html");
  expect(page).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/);
  expect(page).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  for (const name of files().filter((one) => one.endsWith(".js"))) {
    expect(textOf(name)).not.toMatch(/\beval\(|new Function\(/);
  }
});

test("the page has the policy of the server's header, without what only a header can say", () => {
  const policy = /content="(default-src[^"]*)"/.exec(textOf("index.html"))?.[1] ?? "";
  const header = runPython("from mobile_stub.web_page import content_policy; print(content_policy())", "");
  expect(header.trim()).toBe(`${policy}; frame-ancestors 'none'`);
});
