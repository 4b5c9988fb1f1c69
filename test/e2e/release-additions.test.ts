import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";
import { faultyApp } from "../crash/faulty-app.ts";
import { expectNothingLost } from "../crash/sample-mesh.ts";
import { startLoad } from "../load/start-load.ts";
import { eventually } from "./product.ts";
import { host, ReleasedSample } from "./released-sample.ts";

/** Many commands one after the other, on a machine that may be busy. */
const slow = { timeout: 120_000 };

const staff = "{preview: {name: staff, match: [{headers: {x-staff: {exact: '1'}}}]}}";
const beta = "{preview: {name: beta, match: [{cookies: {beta: {exact: '1'}}}, {queryParams: {v: {exact: next}}}]}}";

test(
  "previews reach green by their marks alone, outlive a restart, and the way back leaves no trace",
  slow,
  async () => {
    await using released = await ReleasedSample.create();
    const { mesh } = released;
    const before = await released.routes();
    await using load = await startLoad({
      address: `127.0.0.1:${mesh.port}`,
      requests: [{ host }],
      requestsPerSecond: 200,
      newConnectionShare: 0.05,
      durationMs: 60_000,
    });
    await released.start(`{steps: [${staff}, ${beta}, {hold: {}}, {weight: 50}, {hold: {}}, {switch: {}}]}`);
    await released.holding(3);
    const expectPreviews = async (): Promise<void> => {
      expect(await released.colors({ "x-staff": "1" })).toEqual(new Set(["green"]));
      expect(await released.colors({ cookie: "a=b; beta=1" })).toEqual(new Set(["green"]));
      expect(await released.colors({}, { path: "/x?v=next" })).toEqual(new Set(["green"]));
      expect(await released.colors({ cookie: "beta=2", "x-staff": "2" })).toEqual(new Set(["blue"]));
      expect(await released.colors()).toEqual(new Set(["blue"]));
    };
    await expectPreviews();
    await released.restart();
    await expectPreviews();
    // What the running Envoy says of a tester's request is what the manifests say with the preview over them.
    const url = ["--url", `http://${host}/`];
    const explained = await mesh.sandbox.cli(["explain", mesh.sandbox.manifests, ...url, "-H", "x-staff: 1", "--live"]);
    expect(explained).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("preview staff") });
    await released.tell("promote", "to-green");
    await released.holding(5);
    expect(await released.colors({ "x-staff": "1" })).toEqual(new Set(["green"]));
    expect(await released.colors()).toEqual(new Set(["blue", "green"]));
    await released.tell("rollback", "to-green", "--release");
    expect(await released.wait("done")).toMatchObject({ phase: "rolledBack" });
    expect(await released.colors({ "x-staff": "1" })).toEqual(new Set(["blue"]));
    await eventually("routes as they were", async () => {
      return isDeepStrictEqual(await released.routes(), before) ? true : undefined;
    });
    await expectNothingLost(load);
  },
);

test("copies of GET requests go to green, and none of them is in its numbers", slow, async () => {
  await using released = await ReleasedSample.create();
  const before = await released.routes();
  await released.start("{steps: [{mirror: {methods: [GET]}}, {hold: {}}, {switch: {}}]}");
  await released.holding(2);
  expect(await released.colors()).toEqual(new Set(["blue"]));
  expect(await released.colors({}, { method: "POST" })).toEqual(new Set(["blue"]));
  await eventually("a copy of each GET", async () => ((await released.requests("copies\\|")) >= 20 ? true : undefined));
  expect(await released.requests("copies\\|")).toBe(20);
  expect(await released.requests("outbound\\|.*green")).toBe(0);
  await released.tell("promote", "to-green");
  expect(await released.wait("done")).toMatchObject({ phase: "done" });
  expect(await released.colors()).toEqual(new Set(["green"]));
  expect(JSON.stringify(await released.routes())).not.toContain("copies|");
  await released.tell("rollback", "to-green", "--release");
  expect(await released.wait("done")).toMatchObject({ phase: "rolledBack" });
  await eventually("routes as they were", async () => {
    return isDeepStrictEqual(await released.routes(), before) ? true : undefined;
  });
});

test("on a ladder of cohorts each visitor stays, and nobody who has seen green sees blue again", slow, async () => {
  await using released = await ReleasedSample.create();
  const ladder =
    "[{name: staff, match: [{headers: {x-staff: {}}}]}, {name: few, weight: 20}, {name: half, weight: 60.25}]";
  await released.start(`{cohorts: {cohorts: ${ladder}, hold: {}}}`, "sessionAffinity: {cookie: k%d, maxAge: 1h},");
  await released.holding(3);
  expect(await released.colors({ "x-staff": "" })).toEqual(new Set(["green"]));
  const visitors = await visit(
    released,
    Array.from({ length: 300 }, () => undefined),
  );
  expect(shareOf(visitors)).toBe(0);
  expect((await released.ask()).setCookie).toMatch(
    /^k%d=[\da-f-]{36}; Path=\/; Max-Age=3600; HttpOnly; SameSite=Lax$/u,
  );

  await released.tell("promote", "to-green");
  await released.holding(5);
  const few = await visit(
    released,
    visitors.map(({ cookie }) => cookie),
  );
  // Four standard deviations of 300 draws.
  expect(Math.abs(shareOf(few) - 0.2)).toBeLessThan(0.093);
  expect(
    await visit(
      released,
      few.map(({ cookie }) => cookie),
    ),
  ).toEqual(few);
  const newcomers = await visit(
    released,
    Array.from({ length: 300 }, () => undefined),
  );
  expect(Math.abs(shareOf(newcomers) - 0.2)).toBeLessThan(0.093);
  // The first answer and those after it are of one version.
  expect(
    await visit(
      released,
      newcomers.map(({ cookie }) => cookie),
    ),
  ).toEqual(newcomers);

  await released.tell("promote", "to-green");
  await released.holding(7);
  const half = await visit(
    released,
    few.map(({ cookie }) => cookie),
  );
  expect(Math.abs(shareOf(half) - 0.6)).toBeLessThan(0.113);
  expect(few.filter(({ color }, index) => color === "green" && half[index]?.color !== "green")).toEqual([]);
  await released.tell("promote", "to-green");
  expect(await released.wait("done")).toMatchObject({ phase: "done" });
  const after = await visit(
    released,
    half.map(({ cookie }) => cookie),
  );
  expect(shareOf(after)).toBe(1);
  expect((await released.ask()).setCookie).toBeUndefined();
});

test("a preview is there when its step is done, although no proxy was there when it began", slow, async () => {
  await using released = await ReleasedSample.create();
  const { mesh } = released;
  await released.start(`{steps: [{hold: {}}, ${staff}, {hold: {}}, {switch: {}}]}`);
  await released.holding(1);
  const api = await mesh.sandbox.api();
  process.kill(await mesh.envoyPid(), "SIGKILL");
  await eventually("an Envoy that is gone", async () => {
    return (await mesh.status()).proxies.every(({ connected }) => !connected) ? true : undefined;
  });
  await api.orderRelease("sample-ns/to-green", { command: { kind: "promote", full: false }, actor: "test" });
  await released.holding(3);
  expect(await released.colors({ "x-staff": "1" })).toEqual(new Set(["green"]));
});

test("a version that does not answer gets no preview, and a rule that is gone stops the release", async () => {
  await using released = await ReleasedSample.create({ app: faultyApp });
  const { mesh } = released;
  mesh.sandbox.write("fault-green", "error");
  await released.start(`{steps: [${staff}, {hold: {}}, {switch: {}}]}`);
  expect(await released.wait("failed")).toMatchObject({
    phase: "failed",
    message: expect.stringContaining("answered 500"),
  });
  expect(await released.colors({ "x-staff": "1" })).toEqual(new Set(["blue"]));
  rmSync(join(mesh.sandbox.manifests, "fault-green"));
  await released.tell("retry", "to-green");
  await released.holding(2);
  expect(await released.colors({ "x-staff": "1" })).toEqual(new Set(["green"]));
  const text = readFileSync(join(mesh.sandbox.manifests, "mesh.yaml"), "utf8");
  mesh.sandbox.write("mesh.yaml", text.replace("    - name: public\n", "    - name: everybody\n"));
  expect(await released.wait("failed")).toMatchObject({
    phase: "failed",
    message: expect.stringContaining("sample-ns/sample-app/public"),
  });
  expect(await released.colors({ "x-staff": "1" })).toEqual(new Set(["blue"]));
  await released.tell("rollback", "to-green", "--release");
  expect(await released.wait("done")).toMatchObject({ phase: "rolledBack" });
});

interface Visitor {
  readonly color: string;
  /** As the browser sends it back. */
  readonly cookie: string | undefined;
}

/** One request of each visitor, those that come for the first time without a cookie. */
async function visit(released: ReleasedSample, cookies: readonly (string | undefined)[]): Promise<readonly Visitor[]> {
  const visitors: Visitor[] = [];
  for (let at = 0; at < cookies.length; at += 50) {
    const group = cookies.slice(at, at + 50).map(async (cookie) => {
      const { color, setCookie } = await released.ask(cookie === undefined ? {} : { cookie: `a=b; ${cookie}` });
      return { color, cookie: cookie ?? setCookie?.split(";")[0] };
    });
    visitors.push(...(await Promise.all(group)));
  }
  return visitors;
}

function shareOf(visitors: readonly Visitor[]): number {
  return visitors.filter(({ color }) => color === "green").length / visitors.length;
}
