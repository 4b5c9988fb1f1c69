import { type ChildProgram, type ChildProgramOptions, startProgram } from "./child-program.ts";

export interface ServiceProgramOptions extends ChildProgramOptions {
  /** Whether it serves. */
  readonly probe: () => Promise<boolean>;
  readonly readyWithinMs: number;
}

/** A program that can be ended, started anew with the same arguments, and paused, so that clients meet each of it. */
export class ServiceProgram implements AsyncDisposable {
  readonly #options: ServiceProgramOptions;
  #program: ChildProgram | undefined;
  #isPaused = false;

  private constructor(options: ServiceProgramOptions) {
    this.#options = options;
  }

  static async start(options: ServiceProgramOptions): Promise<ServiceProgram> {
    const started = new ServiceProgram(options);
    await started.start();
    return started;
  }

  get isRunning(): boolean {
    return this.#program !== undefined && !this.#isPaused;
  }

  /** Starts it where it does not run, goes on where it is paused, and waits until it serves. */
  async start(): Promise<void> {
    this.resume();
    if (this.#program !== undefined) return;
    const program = startProgram(this.#options);
    try {
      await program.whenReady(this.#options.probe, this.#options.readyWithinMs);
    } catch (error) {
      await program[Symbol.asyncDispose]();
      throw error;
    }
    this.#program = program;
  }

  /** Ends it; it is gone when this returns. */
  async stop(): Promise<void> {
    this.resume();
    const program = this.#program;
    this.#program = undefined;
    await program?.[Symbol.asyncDispose]();
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  pause(): void {
    this.#program?.pause();
    this.#isPaused = this.#program !== undefined;
  }

  resume(): void {
    if (this.#isPaused) this.#program?.resume();
    this.#isPaused = false;
  }

  /** What it has printed, over all of its starts. */
  async readLog(): Promise<string> {
    return (await this.#program?.readLog()) ?? "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
