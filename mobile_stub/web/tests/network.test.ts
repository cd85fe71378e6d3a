/** Asking a service that is busy: it says when to come again, and is obeyed. */

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";

import { call } from "../src/protocol/network.ts";

let server: Server;
let seen: string[];

afterEach(() => server.close());

/** Answers with these, one after the other, and then with 200. */
async function serve(...answers: [number, string | null][]): Promise<string> {
  seen = [];
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (part: Buffer) => (body += part.toString()));
    request.on("end", () => {
      seen.push(`${request.method ?? ""} ${body}`);
      const [status, wait] = answers.shift() ?? [200, null];
      response.writeHead(status, wait === null ? {} : { "retry-after": wait }).end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/credential`;
}

test.each(["3600", "11", "-1", "", "1.5", "soon", "Tue, 24 Nov 2026 12:00:00 GMT", null])(
  "a refusal that names no short wait is told at once: %s",
  async (wait) => {
    const address = await serve([503, wait]);
    expect((await call("POST", address)).status).toBe(503);
    expect(seen).toHaveLength(1);
  },
);

test("another refusal is told at once, whatever wait it names", async () => {
  const address = await serve([429, "0"]);
  expect((await call("GET", address)).status).toBe(429);
  expect(seen).toHaveLength(1);
});

test("a service that stays busy is asked four times, no more", async () => {
  const address = await serve(...Array.from({ length: 9 }, (): [number, string] => [503, "0"]));
  expect((await call("GET", address)).status).toBe(503);
  expect(seen).toHaveLength(4);
});

test("a busy service is asked again with the same words after the time that it named", async () => {
  const address = await serve([503, "1"]);
  const began = performance.now();
  expect((await call("POST", address, { json: { a: 1 } })).status).toBe(200);
  expect(performance.now() - began).toBeGreaterThan(990);
  expect(seen).toEqual(['POST {"a":1}', 'POST {"a":1}']);
});
