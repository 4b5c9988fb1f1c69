import { KirikaeError } from "../../src/core/diagnostics/error.ts";
import type { Ledger, MovePlan, MoveRequest } from "../../src/core/release/move/move.ts";
import type {
  ApiBackend,
  CallerDetail,
  HistoryEntry,
  LiveEvent,
  MoveProgress,
  MoveResult,
  ServiceStatus,
  Status,
  TimelineEntry,
  TrafficSample,
} from "../../src/api/types.ts";
import { FakeReleases } from "./fake-releases.ts";

const virtualService = "sample-ns/sample-app";

function destination(version: string): string {
  return `outbound|40001|${version}|nginx.sample-ns.svc.cluster.local`;
}

function weights(version: string, other: string): Readonly<Record<string, number>> {
  return { [destination(version)]: 100, [destination(other)]: 0 };
}

/** A mesh that exists in memory only: one service on blue, whose traffic moves when asked. No proxy, no process. */
export class FakeBackend implements ApiBackend {
  live = "blue";
  readonly samples: TrafficSample[] = [];
  readonly requests: MoveRequest[] = [];
  readonly #listeners = new Set<(event: LiveEvent) => void>();
  /** Resolves when a move may end; replace it to hold one. */
  mayEnd: Promise<void> = Promise.resolve();
  /** Thrown after the plan was reported. */
  failure: Error | undefined;
  ledger: Partial<Ledger> = {};

  readonly releases = new FakeReleases();

  get listenerCount(): number {
    return this.#listeners.size;
  }

  status(): Status {
    return {
      gateways: [
        {
          gateway: "sample-ns/sample-gateway",
          server: "http",
          hosts: ["sample.hoge.com"],
          port: 80,
          protocol: "http",
          address: "127.0.0.1:8080",
        },
      ],
      services: [this.service(virtualService), { ...this.service("sample-ns/idle-app"), hosts: ["idle.hoge.com"] }],
      proxies: [
        {
          node: "kirikae-local",
          connected: true,
          pid: 4242,
          types: [
            { type: "cluster", sentVersion: "3", ackedVersion: "3", nack: undefined },
            { type: "listener", sentVersion: "2", ackedVersion: "2", nack: undefined },
            { type: "runtime", sentVersion: "9", ackedVersion: "9", nack: undefined },
          ],
        },
      ],
      workloads: ["blue", "green"].map((colour, index) => ({
        name: `sample-ns/nginx-${colour}`,
        replicas: [
          { address: `127.0.0.1:${8081 + index}`, ready: true, pid: 4300 + index, restarts: 0, logFile: undefined },
        ],
      })),
      inbound: [],
      callers: ["blue", "green"].map((colour, index) => ({
        workload: `sample-ns/nginx-${colour}`,
        proxy: `127.0.0.1:${20_001 + index}`,
        withoutSidecar: null,
      })),
      refusedManifests: [],
      additions: [],
    };
  }

  caller(workload: string): CallerDetail {
    const found = this.status().callers.find((caller) => caller.workload === workload);
    if (found === undefined) {
      throw new KirikaeError("KIR5061", `There is no workload ${workload} in the manifests.`, { exitStatus: 2 });
    }
    return { ...found, hint: null, services: [], direct: null };
  }

  service(name: string): ServiceStatus {
    return {
      virtualService: name,
      hosts: ["sample.hoge.com"],
      live: this.live,
      versions: ["blue", "green"].map((version) => ({
        name: version,
        role: version === this.live ? "live" : "preview",
        readyEndpoints: 1,
        endpoints: 1,
        requestsPerSecond: version === this.live ? 50 : 0,
        errorsPerSecond: 0,
      })),
      rules: [
        { rule: 0, name: "preview", role: "preview", weights: { [this.idle()]: 100, [this.live]: 0 } },
        { rule: 1, name: undefined, role: "public", weights: { [this.live]: 100, [this.idle()]: 0 } },
      ],
      isMoved: this.live !== "blue",
    };
  }

  idle(): string {
    return this.live === "blue" ? "green" : "blue";
  }

  plan(request: MoveRequest): MovePlan {
    this.requests.push(request);
    if (request.name !== "sample-app") {
      throw new KirikaeError("KIR2001", `There is no service ${request.name}.`, {
        exitStatus: 2,
        hint: "These exist: sample-app.",
        details: { known: ["sample-app"] },
      });
    }
    const to = Object.keys(request.to)[0] ?? this.idle();
    return {
      verb: request.verb,
      virtualService,
      from: this.live,
      to,
      changes: [
        {
          split: "sample-ns/sample-app/preview",
          rule: 0,
          ruleName: "preview",
          role: "preview",
          declared: weights("green", "blue"),
          before: weights(to, this.live),
          after: weights(this.live, to),
        },
        {
          split: "sample-ns/sample-app/a1b2c3",
          rule: 1,
          ruleName: undefined,
          role: "public",
          declared: weights("blue", "green"),
          before: weights(this.live, to),
          after: weights(to, this.live),
        },
      ],
      stays: [{ rule: 2, ruleName: "admin", reason: "It has one destination only." }],
      versions: ["blue", "green"].map((name) => ({ name, destinations: [destination(name)] })),
      actor: request.actor,
      reason: request.reason,
    };
  }

  async move(request: MoveRequest, onProgress: (progress: MoveProgress) => void): Promise<MoveResult> {
    const plan = this.plan(request);
    const report = (progress: MoveProgress): void => {
      onProgress(progress);
      this.emit({ event: "move", virtualService, atMs: Date.now(), progress });
    };
    report({ kind: "planned", plan });
    await this.mayEnd;
    if (this.failure !== undefined) throw this.failure;
    const preflight = {
      ok: true,
      checks: [{ name: "endpoints", verdict: "pass" as const, detail: "1 of 1 endpoints of green answers." }],
    };
    report({ kind: "preflight", report: preflight });
    report({ kind: "applying" });
    const proxies = [{ node: "kirikae-local", ackMs: 1.3, workersMs: 2.1 }];
    this.live = plan.to;
    report({ kind: "proved", callToProofMs: 2.1, proxies });
    report({ kind: "counting", untilMs: Date.now() });
    const ledger: Ledger = {
      requests: 120,
      ok: 120,
      failed: 0,
      byVersion: { [plan.from]: 58, [plan.to]: 62 },
      lastOldMs: 1.4,
      oldAfterDone: 0,
      clientGone: 0,
      failures: [],
      isComplete: true,
      ...this.ledger,
    };
    const ok = ledger.failed === 0 && ledger.oldAfterDone === 0;
    const message = ok ? undefined : `${ledger.failed} requests failed while traffic moved.`;
    const { from, to } = plan;
    const result: MoveResult = {
      id: "1",
      ok,
      outcome: ok ? "done" : "unproved",
      from,
      to,
      callToProofMs: 2.1,
      proxies,
      ledger,
      plan,
      preflight,
      message,
    };
    report({ kind: "finished", result });
    this.emit({ event: "status", status: this.status() });
    return result;
  }

  timeline(name: string | undefined): readonly TimelineEntry[] {
    const what = { event: "begin", what: "begun, to green" } as const;
    const who = { actor: "ann", reason: null, at: "2026-01-01T00:00:00.000Z" };
    return [{ id: "r1", release: "shop/to-green", services: [virtualService], ...what, ...who }, ...this.history(name)];
  }

  history(name: string | undefined): readonly HistoryEntry[] {
    if (name !== undefined && name !== "sample-app") return [];
    return [
      {
        id: "1",
        virtualService,
        verb: "switch",
        outcome: "done",
        startedAt: "2026-11-21T09:00:00.000Z",
        finishedAt: "2026-11-21T09:00:01.200Z",
        actor: "tester",
        reason: "release 12",
        before: { blue: 100, green: 0 },
        after: { blue: 0, green: 100 },
        ledger: null,
        message: undefined,
      },
    ];
  }

  recentSamples(): readonly TrafficSample[] {
    return this.samples;
  }

  subscribe(listener: (event: LiveEvent) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  emit(event: LiveEvent): void {
    if (event.event === "sample") this.samples.push(event.sample);
    for (const listener of this.#listeners) listener(event);
  }

  /** One second of traffic, all of it on the live version. */
  sampleAt(atMs: number, requestsPerSecond = 50): TrafficSample {
    const versions = ["blue", "green"].map((name) => ({
      name,
      requestsPerSecond: name === this.live ? requestsPerSecond : 0,
      errorsPerSecond: 0,
    }));
    return { atMs, services: [{ virtualService, versions }] };
  }
}
