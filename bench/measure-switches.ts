import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { epochNowMs } from "../test/load/load-clock.ts";
import {
  median,
  percentile,
  summarizeLoad,
  viewSwitch,
  type LoadSummary,
  type SwitchView,
} from "../test/load/load-summary.ts";
import { startLoad } from "../test/load/start-load.ts";
import type { Backends } from "./backends.ts";
import { benchHost, type Color, type Front, type RunningFront } from "./front.ts";

export interface MeasureOptions {
  readonly switches: number;
  readonly requestsPerSecond: number;
  readonly connections: number;
  readonly newConnectionShare: number;
  /** Between a switch that has settled and the next. */
  readonly gapMs: number;
}

/** One measured switch: what the caller was told, and what clients saw. */
export interface MeasuredSwitch extends SwitchView {
  /** From the call until the caller was told that it is done. */
  readonly callMs: number;
  readonly proofMs: number | undefined;
  readonly ok: boolean;
}

export interface FrontFigures {
  readonly name: string;
  readonly version: string;
  readonly switches: readonly MeasuredSwitch[];
  readonly load: LoadSummary;
  /** Requests that were due and could not be sent because no connection was free. */
  readonly notSent: number;
}

/** Starts a front, switches it there and back under load, and takes it down. */
export async function measureFront(
  front: Front,
  place: { readonly backends: Backends; readonly folder: string },
  options: MeasureOptions,
): Promise<FrontFigures> {
  const folder = join(place.folder, front.name.replaceAll(/[^a-z]+/gi, "-").toLowerCase());
  await mkdir(folder, { recursive: true });
  await using running = await front.start(place.backends, folder);
  const measured = await measureSwitches(running, options);
  return { name: front.name, version: running.version, ...measured };
}

interface Moment {
  readonly old: Color;
  readonly new: Color;
  readonly callMs: number;
  readonly doneMs: number;
  readonly proofMs: number | undefined;
  readonly ok: boolean;
}

export async function measureSwitches(
  running: RunningFront,
  options: MeasureOptions,
): Promise<Pick<FrontFigures, "switches" | "load" | "notSent">> {
  await using load = await startLoad({
    address: running.address,
    requests: [{ host: benchHost }],
    requestsPerSecond: options.requestsPerSecond,
    connections: options.connections,
    newConnectionShare: options.newConnectionShare,
    durationMs: 25 * 60_000,
  });
  await delay(Math.max(500, options.gapMs));
  const moments: Moment[] = [];
  for (let count = 0; count < options.switches; count++) {
    const [old, next]: readonly [Color, Color] = count % 2 === 0 ? ["blue", "green"] : ["green", "blue"];
    const callMs = epochNowMs();
    const call = await running.switchTo(next);
    moments.push({ old, new: next, callMs, doneMs: call.doneMs, proofMs: call.proofMs, ok: call.ok });
    await call.settled;
    await delay(options.gapMs);
  }
  const { records, finished } = await load.stop();
  const switches = moments.map((moment, index) => {
    const untilMs = moments[index + 1]?.callMs ?? Infinity;
    const { callMs, doneMs, proofMs, ok } = moment;
    return { ...viewSwitch(records, { ...moment, untilMs }), callMs: doneMs - callMs, proofMs, ok };
  });
  return { switches, load: summarizeLoad(records), notSent: finished.notSent };
}

/** Median, 99th percentile and highest of the values that there are. */
export function spreadOf(values: readonly (number | undefined)[]): { median: number; p99: number; max: number } {
  const sorted = values.filter((value) => value !== undefined).toSorted((a, b) => a - b);
  return { median: median(sorted), p99: percentile(sorted, 0.99), max: percentile(sorted, 1) };
}
