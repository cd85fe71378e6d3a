/** Programs beside the tests. Each ends with its standard input, so none outlives us, however we end. */

import { spawn, type ChildProcess } from "node:child_process";

import { PYTHON, ROOT } from "../python.ts";

/** A Python program that says where it is on its first line. */
export class Program {
  readonly said: string;
  readonly #process: ChildProcess;

  private constructor(said: string, process: ChildProcess) {
    [this.said, this.#process] = [said, process];
  }

  static async start(...words: string[]): Promise<Program> {
    const child = spawn(PYTHON, ["-m", ...words], { cwd: ROOT, stdio: ["pipe", "pipe", "pipe"] });
    let complained = "";
    child.stderr.on("data", (data: Buffer) => (complained = (complained + data.toString()).slice(-4000)));
    return new Promise((resolve, reject) => {
      let said = "";
      child.stdout.on("data", (data: Buffer) => {
        said += data.toString();
        const [line, rest] = said.split("\n");
        if (line !== undefined && rest !== undefined) resolve(new Program(line, child));
      });
      child.once("error", reject);
      child.once("exit", () => {
        reject(new Error(`${words.join(" ")} ended: ${complained}`));
      });
    });
  }

  /** Tells it something, and waits until it has answered. */
  async tell(line: string): Promise<void> {
    const { stdin, stdout } = this.#process;
    const answered = new Promise((resolve) => stdout?.once("data", resolve));
    stdin?.write(`${line}\n`);
    await answered;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.stdin?.end();
    this.#process.kill("SIGTERM");
    await ended;
  }
}
