/** The real issuer and wallet API as processes, and a proxy between them and the phone. */

import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import {
  createServer,
  request as send,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";

import { PYTHON, ROOT } from "../python.ts";

export interface CardOfStudent {
  readonly escn: string;
  readonly name: string;
}

export interface InstitutionOfTest {
  readonly pic: string;
  readonly name: string;
  readonly staff_key: string;
  readonly cards: readonly CardOfStudent[];
}

interface Told {
  readonly issuer: string;
  readonly wallet: string;
  readonly institutions: readonly InstitutionOfTest[];
}

/** An offer as staff get it. */
export interface OfferOfStaff {
  readonly credential_offer: string;
  readonly credential_offer_uri: string;
  readonly tx_code: string;
}

export class Services {
  readonly told: Told;
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  private constructor(told: Told, process: ChildProcessWithoutNullStreams, lines: AsyncIterator<string>) {
    this.told = told;
    this.#process = process;
    this.#lines = lines;
  }

  /** `walletUrl`: where phones reach the wallet API, if through a proxy. */
  static async start(walletUrl?: string): Promise<Services> {
    const words = ["-m", "tests.mobile_stub.services_for_browsers"];
    if (walletUrl !== undefined) words.push("--wallet-url", walletUrl);
    const process = spawn(PYTHON, words, { cwd: ROOT });
    let said = "";
    process.stderr.on("data", (data: Buffer) => (said = (said + data.toString()).slice(-4000)));
    const lines = createInterface(process.stdout)[Symbol.asyncIterator]();
    const first = await lines.next();
    if (first.done === true) throw new Error(`the services did not start: ${said}`);
    return new Services(JSON.parse(first.value) as Told, process, lines);
  }

  institution(at = 0): InstitutionOfTest {
    const institution = this.told.institutions[at];
    if (institution === undefined) throw new Error("no such institution");
    return institution;
  }

  card(at = 0, institution = 0): CardOfStudent {
    const card = this.institution(institution).cards[at];
    if (card === undefined) throw new Error("no such card");
    return card;
  }

  /** A new offer for a student's card. */
  async offer(at = 0, institution = 0): Promise<OfferOfStaff> {
    const { escn } = this.card(at, institution);
    const path = `${this.told.wallet}/api/v1/cards/${escn}/offers`;
    return (await this.#ask(path, institution)) as OfferOfStaff;
  }

  /** What staff do to a card: suspend, reinstate, revoke. */
  async change(action: string, at = 0, institution = 0): Promise<void> {
    const { escn } = this.card(at, institution);
    const path = `${this.told.issuer}/api/v1/cards/${escn}/${action}`;
    await this.#ask(path, institution, action === "reinstate" ? {} : { reason: "a test" });
  }

  /** Approves every photo that waits at an institution. */
  async approvePhotos(institution = 0): Promise<void> {
    const photos = `${this.told.issuer}/api/v1/photos`;
    const page = (await this.#ask(`${photos}?state=waiting`, institution, undefined, "GET")) as {
      readonly items: readonly { readonly id: number }[];
    };
    for (const { id } of page.items) await this.#ask(`${photos}/${id}/approve`, institution);
  }

  /** As time would: every phone is told to renew its credentials. */
  async makeRenewalsDue(): Promise<void> {
    this.#process.stdin.write("renewal\n");
    await this.#lines.next();
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.stdin.end();
    await ended;
  }

  async #ask(address: string, institution: number, body?: object, method = "POST"): Promise<unknown> {
    const authorization = `Bearer ${this.institution(institution).staff_key}`;
    const type: Record<string, string> = body === undefined ? {} : { "content-type": "application/json" };
    const headers = { authorization, ...type };
    const sent = body === undefined ? null : JSON.stringify(body);
    const answer = await fetch(address, { method, headers, body: sent });
    if (!answer.ok) throw new Error(`${address}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }
}

/** Where an answer is cut: the request never arrives, or the answer is lost, or half of it is. */
export type Cut = "request" | "answer" | "half";

/** Passes requests on, and cuts the one that a test wants cut. */
export class FaultProxy {
  readonly address: string;
  target = "";
  /** Paths of what was asked, preflights left out. */
  readonly asked: string[] = [];
  #cut: { at: number; how: Cut } | null = null;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    const { port } = server.address() as AddressInfo;
    this.address = `http://127.0.0.1:${port}`;
    server.on("request", (request, response) => {
      this.#pass(request, response);
    });
  }

  static async start(): Promise<FaultProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new FaultProxy(server);
  }

  /** From now on: the request number `at`, the first being 0, is cut. Null: none. */
  cut(at: number | null, how: Cut = "request"): void {
    this.asked.length = 0;
    this.#cut = at === null ? null : { at, how };
  }

  /** Whether the cut was made. */
  get wasCut(): boolean {
    return this.#cut !== null && this.asked.length > this.#cut.at;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #pass(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? "/";
    const isCut = request.method !== "OPTIONS" && this.asked.push(path) - 1 === this.#cut?.at;
    const how = isCut ? this.#cut?.how : undefined;
    if (how === "request") {
      request.socket.destroy();
      return;
    }
    const { method = "GET", headers } = request;
    const onward = send(this.target + path, { method, headers }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.on("end", () => {
        answerWith(answer, Buffer.concat(parts), response, how);
      });
    });
    onward.on("error", () => request.socket.destroy());
    request.pipe(onward);
  }
}

function answerWith(from: IncomingMessage, body: Buffer, to: ServerResponse, how: Cut | undefined): void {
  if (how === "answer") {
    to.socket?.destroy();
    return;
  }
  // A browser repeats by itself what was cut on a connection that had been used before.
  to.writeHead(from.statusCode ?? 502, { ...from.headers, connection: "close" });
  if (how === undefined) to.end(body);
  else to.write(body.subarray(0, body.length / 2), () => to.socket?.destroy());
}
