import { expect, test, vi } from "vitest";
import { bySubset, ReleaseProcess, web } from "../../test/release-process.fixture.ts";

const http = '{name: smoke, interval: 100ms, http: {url: "http://judge.test/{{to}}"}}';

function strategy(check: string): string {
  return `{steps: [{weight: 10}, {check: ${check}}, {switch: {}}]}`;
}

test("a judge's no takes the release back, and the history keeps what each judge said", async () => {
  await using process = new ReleaseProcess();
  const asked: unknown[] = [];
  process.ask = async (question, { values }) => {
    asked.push([question, values.from]);
    return { verdict: asked.length < 3 ? "pass" : "fail", detail: `answer ${asked.length}` };
  };
  process.start(strategy(`{duration: 1h, judges: [${http}]}`));
  const status = await process.until("rolledBack");
  expect(status.message).toBe("rolled back, because the judge smoke said no once: answer 3");
  expect(status.check).toBeNull();
  expect(asked[0]).toEqual([expect.objectContaining({ kind: "http", url: "http://judge.test/green" }), "blue"]);
  const judged = status.events.find(({ kind }) => kind === "judged");
  expect(judged).toMatchObject({
    verdict: "fail",
    results: [
      { kind: "figures", verdict: "unknown", fresh: { requests: 0 } },
      { kind: "judge", name: "smoke", asked: 3, passed: 2, failed: 1, inconclusive: 0, verdict: "fail" },
    ],
  });
  expect(await process.weightOfGreen(web)).toBe(0);
});

test("how a check goes is part of the status while it goes", async () => {
  await using process = new ReleaseProcess();
  process.start(strategy(`{duration: 1h, latency: {p90: 1s}, judges: [${http}]}`));
  await process.until("checking");
  process.counters = new Map([
    [bySubset("green"), { requests: 50, errors: 1, ejections: 0, latency: [{ fromMs: 10, widthMs: 1, count: 50 }] }],
  ]);
  await vi.waitFor(() => {
    const { check } = process.releases.get("shop/r");
    expect(check).toMatchObject({
      isDryRun: false,
      fresh: {
        requests: 50,
        errors: 1,
        ejections: 0,
        latency: [
          { percentile: 50, ms: 10.5 },
          { percentile: 90, ms: 10.9 },
          { percentile: 99, ms: 10.99 },
        ],
      },
      live: { requests: 0, latency: [], ejections: null },
      judges: [{ name: "smoke", kind: "http", verdict: undefined }],
    });
    expect(check?.judges[0]?.passed).toBeGreaterThan(0);
  }, 5_000);
  process.order("abort");
  expect(process.releases.get("shop/r").check).toBeNull();
});

test("a check in a dry run lets a bad version pass, and says so", async () => {
  await using process = new ReleaseProcess();
  process.ask = async () => ({ verdict: "fail", detail: "500 of 500" });
  process.start(strategy(`{duration: 300ms, dryRun: true, judges: [${http}]}`));
  const status = await process.until("done");
  expect(status.events.find(({ kind }) => kind === "judged")).toMatchObject({
    verdict: "pass",
    detail: "it is a dry run, which would have failed: the judge smoke said no once: 500 of 500",
  });
});

test("the next process asks the judges anew", async () => {
  const first = new ReleaseProcess();
  first.start(strategy(`{duration: 1h, compareWithLive: false, judges: [${http}]}`));
  await first.until("checking");
  await first[Symbol.asyncDispose]();
  await using second = new ReleaseProcess(first);
  second.ask = async () => ({ verdict: "fail", detail: "it got worse" });
  second.releases.resume();
  expect(await second.until("rolledBack")).toMatchObject({ message: expect.stringContaining("it got worse") });
});

test("a release with a command is refused where nobody has allowed commands", async () => {
  await using process = new ReleaseProcess();
  const check = '{duration: 1m, judges: [{name: verify, command: [./verify.sh, "{{to}}"]}]}';
  expect(() => process.start(strategy(check))).toThrow(
    expect.objectContaining({ code: "KIR2049", message: expect.stringContaining("shop/r would run ./verify.sh") }),
  );
  const bake = `{blueGreen: {bake: {duration: 1m, check: ${check}}}}`;
  expect(() => process.start(bake)).toThrow("would run ./verify.sh");
  expect(process.releases.list()).toEqual([]);
});
