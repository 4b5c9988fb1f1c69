import { parseDuration } from "../manifest/decode/duration.ts";
import type { InputField } from "./field-ledger.ts";

/** `1h30m`, `90s`, `250ms`: the shortest form that a Release takes; at least a millisecond. */
export function renderDurationText(durationMs: number): string {
  const whole = Math.max(1, Math.round(durationMs));
  if (whole % 1000 !== 0) return `${whole}ms`;
  const seconds = whole / 1000;
  if (seconds < 60 || seconds % 60 !== 0) return `${seconds}s`;
  const hours = Math.floor(seconds / 3600);
  const minutes = (seconds % 3600) / 60;
  return `${hours === 0 ? "" : `${hours}h`}${minutes === 0 ? "" : `${minutes}m`}`;
}

/** What a Release can count: 1 ms to 100 years; longer ones are a slip of somebody's hand. */
const longestMs = 100 * 365 * 86_400_000;

/** Go's `1m30s`, or a number of seconds, quoted or not; a note where it is neither. */
export function readDurationMs(field: InputField): number | undefined {
  const text = field.text();
  if (text === undefined) return undefined;
  const durationMs = /^\d{1,12}$/u.test(text) ? Number(text) * 1000 : parseDuration(text);
  if (durationMs !== undefined && durationMs >= 0 && durationMs <= longestMs) return durationMs;
  field.note("It is no length of time that a Release can have, so it is left out.");
  return undefined;
}
