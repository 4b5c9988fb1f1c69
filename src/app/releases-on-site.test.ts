import { expect, test } from "vitest";
import { ReleaseProcess, web } from "../../test/release-process.fixture.ts";
import type { LiveMesh } from "./live-mesh.ts";

const blue = { name: "blue", labels: { version: "blue" } };
const missing = "1 of 2 proxies confirmed; gateway-7f9 unreachable";

/** A process whose mesh is a cluster with one DestinationRule. */
function onSite(): ReleaseProcess {
  const process = new ReleaseProcess();
  const rule = { host: "app.shop.svc.cluster.local", subsets: [blue] };
  const sites: LiveMesh["sites"] = { contexts: ["prod"], findDestinationRule: () => rule };
  Object.assign(process.current, { sites });
  return process;
}

test("while a proof waits for a proxy, the release says for which, and goes back without it", async () => {
  await using process = onSite();
  process.target.behave({ kind: "unreachable", proxy: "gateway-7f9" });
  process.start("{steps: [{weight: 10}]}", { spec: "proof: {timeout: 40ms}" });
  expect(await process.until("failed")).toMatchObject({ message: expect.stringContaining(missing) });
  expect(process.messages).toContain(`moving weights: ${missing}`);
  expect(await process.weightOfGreen(web)).toBe(0);
});

test("a release that goes on without a proxy says so in its story, its timeline and its report", async () => {
  await using process = onSite();
  process.target.behave({ kind: "unreachable", proxy: "gateway-7f9" });
  process.start("{steps: [{weight: 10}]}", { spec: "proof: {unreachable: goOn}" });
  const { lastEvent } = await process.until("done");
  expect(lastEvent).toMatchObject({ kind: "moved", note: missing });
  expect(process.engine.timeline("shop/r").map((entry) => ("message" in entry ? entry.message : undefined))).toContain(
    missing,
  );
  const { steps, story } = process.releases.report("r");
  expect(steps[0]?.moves).toMatchObject([{ isMoved: true, message: missing }]);
  expect(story.at(-1)?.what).toBe(`step 1 (weight): weights moved and proved, ${missing}`);
  expect(await process.weightOfGreen(web)).toBe(10);
});

test("a release that changes subsets does not go on where none can be written", async () => {
  await using process = onSite();
  const subsets = "subsets: [{destinationRule: app, add: [{name: green, labels: {version: green}}]}]";
  const { plan } = process.start("{blueGreen: {}}", { spec: subsets });
  expect(plan.steps.map(({ kind }) => kind)).toEqual(["subsets", "switch"]);
  expect(await process.until("failed")).toMatchObject({
    step: 1,
    message: expect.stringContaining("changes DestinationRules, and none can be written here"),
  });
  expect(process.target.applied).toEqual([]);
});
