/** The real services, once for a run: issuer, wallet API, and the hosts of the two pages. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import type { TestProject } from "vitest/node";

import type { Told } from "./deployment.ts";
import { Program } from "./programs.ts";

declare module "vitest" {
  interface ProvidedContext {
    told: Told;
    /** For what only the process that started the services can do: a line of text to it. */
    orders: string;
  }
}

export default async function run(project: TestProject): Promise<() => Promise<void>> {
  const program = await Program.start("tests.mobile_stub.services_for_browsers");
  const orders = createServer((request, response) => {
    // No connection is kept: whoever asks may not hear for seconds that an idle one was closed.
    response.setHeader("connection", "close");
    void program.tell(decodeURIComponent((request.url ?? "").slice(1))).then(() => response.end());
  });
  await new Promise<void>((resolve) => orders.listen(0, "127.0.0.1", resolve));
  project.provide("told", JSON.parse(program.said) as Told);
  project.provide("orders", `http://127.0.0.1:${(orders.address() as AddressInfo).port}`);
  return async () => {
    orders.closeAllConnections();
    orders.close();
    await program.stop();
  };
}
