/** A process, or several, that can outlive kirikae. */
export interface Outliving {
  /** Ends what was started here and what was adopted. */
  stop(): Promise<void>;
  /** Ends what was started here; what was adopted runs on. */
  release(): Promise<void>;
  /** Everything runs on. */
  detach(): Promise<void>;
}

/**
 * What becomes of processes when `up` ends. A mesh that ran is stopped whole. A start that did not succeed leaves what it
 * found as it found it, because that may be serving; and where an Envoy that runs on may send requests to what was
 * started here, everything runs on for the next `up`.
 */
export class ProcessFate {
  #state: "starting" | "shared" | "running" = "starting";

  /** An adopted Envoy is told of replicas that were started here. */
  share(): void {
    this.#state = "shared";
  }

  /** The start succeeded. */
  begin(): void {
    this.#state = "running";
  }

  async end(processes: Outliving): Promise<void> {
    switch (this.#state) {
      case "starting":
        return processes.release();
      case "running":
        return processes.stop();
      case "shared":
        return processes.detach();
    }
  }
}
