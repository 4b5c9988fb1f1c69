import { parseCron } from "../../calendar/cron.ts";
import { findTimeZone } from "../../calendar/time-zone.ts";
import { findNextWindow, findOpenWindow, type Window, type Windows } from "../../calendar/windows.ts";
import type { Freeze } from "../../manifest/release.ts";
import type { ActiveFreeze } from "./release-state.ts";

/** A window of a freeze that begins later. */
export interface ComingFreeze extends Window {
  readonly reason: string | null;
}

/** Windows that follow upon each other are looked through no further than this; it is looked again when they end. */
const farthestMs = 366 * 86_400_000;
const mostWindows = 1_500;

/** What is in force at a time, until nothing is any more; undefined where steps may begin. */
export function findFreeze(freezes: readonly Freeze[], atMs: number): ActiveFreeze | undefined {
  const all = freezes.flatMap(windowsOf);
  let untilMs = atMs;
  let first: Freeze | undefined;
  for (let count = 0; count < mostWindows && untilMs < atMs + farthestMs; count += 1) {
    const open = all
      .flatMap(({ freeze, windows }) => {
        const window = findOpenWindow(windows, untilMs);
        return window === undefined ? [] : [{ freeze, window }];
      })
      .toSorted((a, b) => b.window.untilMs - a.window.untilMs)[0];
    if (open === undefined) break;
    first ??= open.freeze;
    untilMs = open.window.untilMs;
  }
  return first === undefined ? undefined : { untilMs, reason: first.reason ?? null };
}

/** The first that begins after a time and before another; undefined where none does. */
export function findComingFreeze(freezes: readonly Freeze[], span: Window): ComingFreeze | undefined {
  const coming = freezes.flatMap(windowsOf).flatMap(({ freeze, windows }): readonly ComingFreeze[] => {
    const window = findNextWindow(windows, span);
    return window === undefined ? [] : [{ ...window, reason: freeze.reason ?? null }];
  });
  return coming.toSorted((a, b) => a.fromMs - b.fromMs)[0];
}

/** The decoder has refused what cannot be read, so nothing is left out here that somebody relies on. */
function windowsOf(freeze: Freeze): readonly { readonly freeze: Freeze; readonly windows: Windows }[] {
  const parsed = parseCron(freeze.cron);
  const zone = findTimeZone(freeze.timeZone);
  if (parsed.kind === "wrong" || zone === undefined) return [];
  return [{ freeze, windows: { cron: parsed.cron, zone, durationMs: freeze.durationMs } }];
}
