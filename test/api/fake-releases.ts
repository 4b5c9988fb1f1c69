import { KirikaeError } from "../../src/core/diagnostics/error.ts";
import { unstarted } from "../../src/core/release/state/advance-release.ts";
import { buildReport } from "../../src/core/release/report/build-report.ts";
import type { ReleaseReport } from "../../src/core/release/report/release-report.ts";
import { findRelease } from "../../src/core/release/describe/find-release.ts";
import type { ReleaseChoice } from "../../src/core/release/describe/foresee-commands.ts";
import type { ReleasePlan } from "../../src/core/release/plan/plan-release.ts";
import { isOver } from "../../src/core/release/state/release-phase.ts";
import type { ReleaseBackend, ReleaseLive, ReleaseOrder, ReleaseSource, ReleaseStatus } from "../../src/api/types.ts";
import { sampleRelease } from "./sample-release.ts";

/** Releases that exist in memory only, and do what a test says. */
export class FakeReleases implements ReleaseBackend {
  /** Oldest first. */
  all: readonly ReleaseStatus[] = [];
  live: ReleaseLive | undefined;
  readonly sources: ReleaseSource[] = [];
  readonly orders: (ReleaseOrder & { readonly name: string })[] = [];
  offered: readonly ReleaseChoice[] = [];
  /** For whom the choices were asked. */
  readonly askedFor: string[] = [];
  /** The ids of each look at the proxies. */
  readonly looks: (readonly string[])[] = [];

  plan(source: ReleaseSource): ReleasePlan {
    this.sources.push(source);
    return sampleRelease().plan;
  }

  start(source: ReleaseSource): ReleaseStatus {
    this.sources.push(source);
    const started = sampleRelease({ id: `r${this.all.length + 1}` });
    this.all = [...this.all, started];
    return started;
  }

  list(): readonly ReleaseStatus[] {
    return this.all;
  }

  get(name: string, namespace?: string): ReleaseStatus {
    return findRelease(this.all, { name, namespace }, ({ release }) => release);
  }

  report(name: string, namespace?: string): ReleaseReport {
    const release = { ...this.get(name, namespace), state: unstarted, traffic: [] };
    return buildReport({ release, findMove: () => undefined, now: { atMs: Date.now(), traffic: undefined } });
  }

  async look(ids: readonly string[]): Promise<ReadonlyMap<string, ReleaseLive>> {
    this.looks.push(ids);
    const { live } = this;
    const active = this.all.filter(({ id, phase }) => ids.includes(id) && !isOver({ kind: phase }));
    return new Map(live === undefined ? [] : active.map(({ id }) => [id, live]));
  }

  choices(name: string, actor: string): readonly ReleaseChoice[] {
    this.get(name);
    this.askedFor.push(actor);
    return this.offered;
  }

  order(name: string, order: ReleaseOrder): ReleaseStatus {
    const found = this.get(name);
    if (isOver({ kind: found.phase })) {
      throw new KirikaeError("KIR2034", `${name} cannot be aborted now, because it is over.`, {
        exitStatus: 1,
      });
    }
    this.orders.push({ ...order, name });
    return found;
  }
}
