/** The real services as processes, and a wire to the wallet API that can be cut. */

import { spawn, type ChildProcess } from "node:child_process";
import {
  createServer,
  request as ask,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

import { PYTHON, ROOT } from "../python.ts";

export interface Institution {
  readonly pic: string;
  readonly name: string;
  readonly staff_key: string;
  readonly cards: readonly { readonly escn: string; readonly name: string }[];
}
/** A student's card, and who has issued it. */
export interface Subject {
  readonly institution: Institution;
  readonly escn: string;
  readonly name: string;
}
interface Told {
  readonly issuer: string;
  readonly wallet: string;
  readonly institutions: readonly Institution[];
  readonly anchor: unknown;
}
export interface Offer {
  readonly credential_offer: string;
  readonly credential_offer_uri: string;
  readonly tx_code: string;
}

/** A program that says where it is on its first line, and ends with its standard input or a signal. */
export class Program {
  readonly said: string;
  readonly #process: ChildProcess;

  private constructor(said: string, process: ChildProcess) {
    this.said = said;
    this.#process = process;
  }

  static async start(...words: string[]): Promise<Program> {
    const child = spawn(PYTHON, ["-m", ...words], { cwd: ROOT, stdio: ["pipe", "pipe", "pipe"] });
    let [said, complained] = ["", ""];
    child.stderr.on("data", (data: Buffer) => (complained += data.toString()));
    return new Promise((resolve, reject) => {
      child.stdout.on("data", (data: Buffer) => {
        said += data.toString();
        const [line, rest] = said.split("\n");
        if (line !== undefined && rest !== undefined) resolve(new Program(line, child));
      });
      child.once("exit", () => {
        reject(new Error(`${words.join(" ")} ended: ${complained}`));
      });
    });
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.stdin?.end();
    this.#process.kill("SIGTERM");
    await ended;
  }
}

/** What becomes of a request on the wire: it arrives or not, its answer comes back or not. */
export type Fate = "through" | "never arrives" | "answer lost";

/** Between phones and the wallet API. */
export class Wire {
  readonly address: string;
  /** Decides about each request, by its method and path. */
  fate: (what: string) => Fate = () => "through";
  readonly seen: string[] = [];
  target = "";
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async lay(): Promise<Wire> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const wire = new Wire(server);
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      wire.#carry(request, response);
    });
    return wire;
  }

  #carry(request: IncomingMessage, response: ServerResponse): void {
    const what = `${request.method ?? ""} ${request.url ?? ""}`;
    this.seen.push(what);
    const fate = this.fate(what);
    if (fate === "never arrives") {
      request.socket.destroy();
      return;
    }
    const headers = { ...request.headers, host: new URL(this.target).host };
    const onward = ask(this.target + (request.url ?? ""), { method: request.method, headers }, (answer) => {
      if (fate === "answer lost") {
        answer.resume().on("end", () => request.socket.destroy());
        return;
      }
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => request.socket.destroy());
    request.pipe(onward);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Issuer, wallet API, the wallet's page; staff who act. */
export class Services {
  readonly wire: Wire;
  readonly told: Told;
  readonly page: string;
  readonly #programs: readonly Program[];

  private constructor(wire: Wire, told: Told, page: string, programs: readonly Program[]) {
    [this.wire, this.told, this.page, this.#programs] = [wire, told, page, programs];
  }

  static async start(): Promise<Services> {
    const wire = await Wire.lay();
    const programs = await Promise.all([
      Program.start("tests.mobile_stub.services_for_browsers", "--wallet-url", wire.address),
      Program.start("mobile_stub", "web", "--port", "0"),
    ]);
    const told = JSON.parse(programs[0].said) as Told;
    wire.target = told.wallet;
    return new Services(wire, told, /http:\S+/.exec(programs[1].said)?.[0] ?? "", programs);
  }

  /** One of an institution's cards. */
  card(institution: number, index: number): Subject {
    const found = this.told.institutions[institution];
    const card = found?.cards[index];
    if (found === undefined || card === undefined) throw new Error("there is no such card");
    return { institution: found, ...card };
  }

  async offer(institution: Institution, escn: string): Promise<Offer> {
    return (await this.staff(institution, "POST", `cards/${escn}/offers`, {}, this.told.wallet)) as Offer;
  }

  /** As a mail to the student has it: a link to the wallet. */
  link(offer: Offer): string {
    return `${this.page}/${new URL(offer.credential_offer_uri).search.replace("?", "#")}`;
  }

  async staff(
    institution: Institution,
    method: string,
    path: string,
    body?: unknown,
    at = this.told.issuer,
  ): Promise<unknown> {
    const answer = await fetch(`${at}/api/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${institution.staff_key}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === "" ? null : JSON.parse(text);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#programs.map((program) => program.stop()), this.wire.stop()]);
  }
}
