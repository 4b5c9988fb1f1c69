/** One thing that was looked at. `warn` is worth knowing and stops nothing; `fail` keeps traffic from being moved. */
export interface SiteFinding {
  readonly name: string;
  readonly verdict: "ok" | "warn" | "fail";
  readonly detail: string;
  /** What to do; null where all is well. */
  readonly hint: string | null;
}

/** Nothing is to be done. */
export function ok(name: string, detail: string): SiteFinding {
  return { name, verdict: "ok", detail, hint: null };
}

/** Worth knowing, and stops nothing. */
export function warn(name: string, detail: string, hint: string): SiteFinding {
  return { name, verdict: "warn", detail, hint };
}

/** Keeps traffic from being moved. */
export function fail(name: string, detail: string, hint: string): SiteFinding {
  return { name, verdict: "fail", detail, hint };
}
