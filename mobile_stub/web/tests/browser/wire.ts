/** Between phones and the wallet API: carries requests, and cuts the ones that a test wants cut. */

import {
  createServer,
  request as ask,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";

/** What becomes of a request: it arrives or not, its answer comes back, or half of it, or not. */
export type Fate = "through" | "never arrives" | "answer lost" | "half an answer" | "told to come again";

// As the wallet API refuses what it has not begun.
const BUSY = {
  "retry-after": "1",
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "retry-after",
};

export class Wire {
  readonly address: string;
  /** Decides about each request, by its method and path. */
  fate: (what: string) => Fate = () => "through";
  /** What was asked, preflights left out. */
  readonly seen: string[] = [];
  #cutAt: number | null = null;
  #cutWhat: string | null = null;
  #held: Promise<void> = Promise.resolve();
  readonly #target: string;
  readonly #server: Server;

  private constructor(server: Server, target: string, address: string) {
    [this.#server, this.#target, this.address] = [server, target, address];
  }

  /** From this address, to the wallet API. */
  static async lay(address: string, target: string): Promise<Wire> {
    const server = createServer();
    const wire = new Wire(server, target, address);
    server.on("request", (request, response) => {
      void wire.#carry(request, response);
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(Number(new URL(address).port), "127.0.0.1", resolve);
    });
    return wire;
  }

  /**
   * From now on, counted from 0, this one request meets its fate, until it is mended: a browser may
   * by itself ask again what was cut. Null: none.
   */
  cut(at: number | null, how: Fate = "never arrives"): void {
    this.seen.length = 0;
    [this.#cutAt, this.#cutWhat] = [at, null];
    this.fate = (what) => {
      if (at !== null && this.seen.length - 1 === at) this.#cutWhat = what;
      return what === this.#cutWhat ? how : "through";
    };
  }

  /** What was cut is asked for again by whoever was told, and comes through. */
  mend(): void {
    this.fate = () => "through";
  }

  /** Holds all that is asked from now on; returns how to let it go. */
  hold(): () => void {
    let letGo = (): void => undefined;
    this.#held = new Promise((resolve) => (letGo = resolve));
    return letGo;
  }

  /** Whether the cut was made. */
  get wasCut(): boolean {
    return this.#cutAt !== null && this.seen.length > this.#cutAt;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #carry(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const what = `${request.method ?? ""} ${request.url ?? ""}`;
    const isPreflight = request.method === "OPTIONS";
    if (!isPreflight) this.seen.push(what);
    const fate = isPreflight ? "through" : this.fate(what);
    if (fate === "never arrives") {
      request.socket.destroy();
      return;
    }
    if (fate === "told to come again") {
      response.writeHead(503, BUSY).end();
      return;
    }
    await this.#held;
    const headers = { ...request.headers, host: new URL(this.#target).host };
    const options = { method: request.method, headers, agent: false }; // no connection is used twice
    const onward = ask(this.#target + (request.url ?? ""), options, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.on("end", () => {
        pass(answer, Buffer.concat(parts), response, fate);
      });
    });
    onward.on("error", () => request.socket.destroy());
    request.pipe(onward);
  }
}

function pass(from: IncomingMessage, body: Buffer, to: ServerResponse, fate: Fate): void {
  if (fate === "answer lost") {
    to.socket?.destroy();
    return;
  }
  // A browser repeats by itself what was cut on a connection that had been used before.
  to.writeHead(from.statusCode ?? 502, { ...from.headers, connection: "close" });
  if (fate === "through") to.end(body);
  else to.write(body.subarray(0, body.length / 2), () => to.socket?.destroy());
}
