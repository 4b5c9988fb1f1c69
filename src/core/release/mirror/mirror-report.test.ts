import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { foldPath } from "./fold-path.ts";
import { MirrorTally } from "./mirror-report.ts";
import { PathTally } from "./tally-paths.ts";

const startMs = 1_000_000;

describe("foldPath", () => {
  it("puts a star for what tells one thing from another, and drops the query", () => {
    expect(foldPath("/users/42/orders?token=secret")).toBe("/users/*/orders");
    expect(foldPath("/a/0b0e7a52-64b2-4bfa-9d2e-5a1a2b3c4d5e")).toBe("/a/*");
    expect(foldPath("/a/9f86d081884c7d65#x")).toBe("/a/*");
    expect(foldPath("/v1/feedface/deadbeefdeadbeef/2b")).toBe("/v1/feedface/deadbeefdeadbeef/2b");
    expect(foldPath("")).toBe("");
  });
});

describe("PathTally", () => {
  it("stands for all requests where a share is copied, over time", () => {
    const tally = new PathTally(startMs);
    for (let second = 0; second < 10; second += 1) {
      tally.add("/a", { atMs: startMs + second * 1_000, standsFor: 10 });
      if (second >= 5) tally.add("/a", { atMs: startMs + second * 1_000 + 500, standsFor: 10 });
    }
    const { paths, others, windowMs } = tally.figures(startMs + 10_000);
    expect(windowMs).toBe(1_000);
    expect(others).toBeNull();
    expect(paths).toEqual([
      {
        path: "/a",
        requests: 150,
        averagePerSecond: 15,
        peakPerSecond: 20,
        perSecond: [10, 10, 10, 10, 10, 20, 20, 20, 20, 20],
      },
    ]);
  });

  it("counts everything once, however many paths there are and however long it takes", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ path: fc.nat(2_000), atMs: fc.nat(900_000) }), { maxLength: 400 }),
        (requests) => {
          const tally = new PathTally(startMs);
          const inOrder = requests.toSorted((one, other) => one.atMs - other.atMs);
          for (const { path, atMs } of inOrder) tally.add(`/p${path}`, { atMs: startMs + atMs, standsFor: 1 });
          const { paths, others } = tally.figures(startMs + 900_000);
          const rates = [...paths, ...(others === null ? [] : [others])];
          expect(paths.length).toBeLessThanOrEqual(50);
          expect(rates.reduce((sum, rate) => sum + rate.requests, 0)).toBe(requests.length);
          expect(rates.every(({ perSecond }) => perSecond.length <= 60)).toBe(true);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("keeps no more names than it can show", () => {
    const tally = new PathTally(startMs);
    for (let path = 0; path < 3_000; path += 1) tally.add(`/p${path}x`, { atMs: startMs, standsFor: 1 });
    tally.add("/p7x", { atMs: startMs, standsFor: 1 });
    const { paths, others } = tally.figures(startMs + 1_000);
    expect(paths[0]).toMatchObject({ path: "/p7x", requests: 2 });
    expect(others?.requests).toBe(2_950);
  });
});

function different(kind: "status" | "body") {
  return { kind: "different" as const, differences: [kind === "status" ? { kind } : { kind, field: "a" }] };
}

describe("MirrorTally", () => {
  const request = { method: "GET", path: "/users/42?token=secret" };

  it("counts what became of each copy", () => {
    const tally = new MirrorTally(startMs);
    for (let copy = 0; copy < 3; copy += 1) tally.addCopy(request, { atMs: startMs, percent: 50 });
    tally.addAnswer("live", 10);
    tally.addAnswer("fresh", 20);
    tally.addComparison(request, { live: 200, fresh: 500, result: different("status") });
    tally.addComparison(request, { live: 200, fresh: 200, result: { kind: "same" } });
    tally.addDropped();
    const report = tally.report(startMs + 1_000);
    expect(report).toMatchObject({ copied: 3, compared: 2, same: 1, different: 1, dropped: 1 });
    expect(report.differentIn).toEqual({ status: 1, header: 0, body: 0 });
    expect(report.sizing.paths).toMatchObject([{ path: "/users/*", requests: 6 }]);
    expect(report.latency.live.p50Ms).toBeGreaterThan(9.5);
    expect(report.latency.live.p50Ms).toBeLessThan(10.5);
    expect(report.latency.fresh).toMatchObject({ count: 1 });
    expect(JSON.stringify(report)).not.toContain("secret");
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  it("keeps examples of what is rare beside those of what is common", () => {
    const tally = new MirrorTally(startMs);
    for (let index = 0; index < 100; index += 1) {
      const path = `/kind-${index % 40}`;
      tally.addComparison({ method: "GET", path }, { live: 200, fresh: 500, result: different("status") });
    }
    tally.addComparison(request, { live: 200, fresh: 200, result: different("body") });
    const { examples, different: count } = tally.report(startMs);
    expect(count).toBe(101);
    expect(examples.length).toBeLessThanOrEqual(20);
    expect(examples.at(-1)).toEqual({
      method: "GET",
      path: "/users/*",
      liveStatus: 200,
      freshStatus: 200,
      differences: [{ kind: "body", field: "a" }],
    });
  });
});
