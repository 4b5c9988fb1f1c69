const unitsMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

const whole = /^[-+]?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+$/;
const part = /([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)/g;

/** Milliseconds of a duration in Go's notation (`1m30s`), `0` without a unit included; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  if (text === "0") {
    return 0;
  }
  if (text.length > 64 || !whole.test(text)) {
    return undefined;
  }
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(part)) {
    totalMs += Number(amount) * (unitsMs[unit ?? ""] ?? Number.NaN);
  }
  // Nanoseconds are the finest unit, so anything finer is an error of binary fractions (0.1s is 100 ms).
  const rounded = Math.round(totalMs * 1e6) / 1e6;
  return text.startsWith("-") ? -rounded : rounded;
}
