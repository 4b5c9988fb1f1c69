import type { Backends } from "./backends.ts";

export type Color = "blue" | "green";

/** A program in front of both versions that can send all traffic to one of them. */
export interface Front {
  readonly name: string;
  /** What has to be installed for it; undefined when it can run here. */
  missing(): Promise<string | undefined>;
  /** Starts it with all traffic on blue. `folder` is empty and its own. */
  start(backends: Backends, folder: string): Promise<RunningFront>;
}

export interface RunningFront extends AsyncDisposable {
  readonly version: string;
  /** `127.0.0.1:8080`. */
  readonly address: string;
  /** Returns when the front's own interface says that it is done. */
  switchTo(color: Color): Promise<SwitchCall>;
}

export interface SwitchCall {
  /** When the caller was told so, in milliseconds since the epoch. */
  readonly doneMs: number;
  /** For fronts that measure it: from the push to the last proof. */
  readonly proofMs?: number;
  /** False when the front itself says that the switch was not clean. */
  readonly ok: boolean;
  /** Whatever the front still does about this switch after it said "done". */
  readonly settled: Promise<unknown>;
}

/** The host name that the load asks for. */
export const benchHost = "sample.hoge.com";

export const threads = 2;
