import type { ReleaseLive, ReleaseSummary } from "../../api/types.ts";
import type { CheckProgress } from "../../core/release/check/check-progress.ts";
import { describeEvent } from "../../core/release/describe/describe-event.ts";
import { renderRule } from "../../core/release/move/refusals.ts";
import { isMoving } from "../../core/release/state/release-phase.ts";
import { renderEveryShare } from "../../core/release/state/render-shares.ts";
import { renderInstant } from "./time-words.ts";

/** Finds what is new of releases, for readers that have no screen: a line for each change, and none for what stays. */
export class ReleaseChanges {
  readonly #told = new Map<string, ReadonlySet<string>>();

  /** Plain lines without colours, each with the time and the release. What was not looked at is not new either. */
  take(releases: readonly ReleaseSummary[]): readonly string[] {
    return releases.flatMap((release) => [
      ...this.#news(`${release.id} event`, release, eventFacts(release)),
      ...this.#news(`${release.id} phase`, release, phaseFacts(release)),
      ...(release.live === null
        ? []
        : this.#news(`${release.id} weights`, release, weightFacts(release, release.live))),
      ...(release.check === null
        ? []
        : this.#news(`${release.id} judges`, release, judgeFacts(release.check, release))),
    ]);
  }

  #news(group: string, { release }: ReleaseSummary, facts: readonly Fact[]): readonly string[] {
    const before = this.#told.get(group);
    this.#told.set(group, new Set(facts.map(({ key }) => key)));
    return facts
      .filter(({ key }) => before?.has(key) !== true)
      .map(({ atMs, text }) => `${renderInstant(atMs)} ${release} ${text}`);
  }
}

interface Fact {
  readonly atMs: number;
  /** What tells it from the one before. */
  readonly key: string;
  readonly text: string;
}

function eventFacts({ lastEvent }: ReleaseSummary): readonly Fact[] {
  if (lastEvent === null) return [];
  const text = describeEvent(lastEvent);
  return [{ atMs: lastEvent.atMs, key: `${lastEvent.atMs} ${text}`, text }];
}

function phaseFacts({ phase, step, steps, message, lastEvent, startedAt }: ReleaseSummary): readonly Fact[] {
  const place = step === null ? "" : `, step ${step} of ${steps.length}`;
  const text = `is ${phase}${place}${message === phase ? "" : `: ${message}`}`;
  return [{ atMs: lastEvent?.atMs ?? Date.parse(startedAt), key: text, text }];
}

/** While weights are on their way there is nothing to compare yet. */
function weightFacts({ phase }: ReleaseSummary, { atMs, rules }: ReleaseLive): readonly Fact[] {
  if (isMoving({ kind: phase })) return [];
  return rules.map(({ virtualService, rule, name, wanted, observed, isAsWanted }) => {
    const where = `weights of ${renderRule({ rule, ruleName: name ?? undefined })} of ${virtualService}`;
    const shout = isAsWanted === false ? "NOT AS WANTED, " : "";
    const text =
      observed === null
        ? `${where} could not be asked of the proxies`
        : `${where}: ${shout}wanted ${renderEveryShare(wanted)}; observed ${renderEveryShare(observed)}`;
    return { atMs, key: text, text };
  });
}

function judgeFacts({ judges }: CheckProgress, { lastEvent, startedAt }: ReleaseSummary): readonly Fact[] {
  const atMs = lastEvent?.atMs ?? Date.parse(startedAt);
  return judges.flatMap(({ name, verdict, isDryRun, detail }) => {
    if (verdict === undefined) return [];
    const said = detail === undefined ? "" : `, ${detail}`;
    const key = `judge ${name}: ${verdict}`;
    return [{ atMs, key, text: `${key}${isDryRun ? " (dry run)" : ""}${said}` }];
  });
}
