import { expect } from "vitest";
import { ControllerProcess, until } from "./controller-process.ts";
import { buildRelease, clean, namespace, order, statusOf, test, weightsOf, whenPhase } from "./controlled-site.ts";
import type { KubeObject } from "./kube-client.ts";
import { describeCluster } from "./shared-cluster.ts";
import { type Site, viewRecords } from "./site.ts";
import { buildVirtualService } from "./site-objects.ts";

function buildOneOfMany(site: Site, index: number): KubeObject {
  const { spec, ...rest } = buildVirtualService(site.shape);
  const fields = spec as Readonly<Record<string, unknown>>;
  return {
    ...rest,
    metadata: { name: `many-${index}`, namespace },
    spec: { ...fields, gateways: ["many"], hosts: [`many-${index}.many.example`] },
  };
}

const gatewayOfMany: KubeObject = {
  apiVersion: "networking.istio.io/v1",
  kind: "Gateway",
  metadata: { name: "many", namespace },
  spec: {
    selector: { istio: namespace },
    servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*.many.example"] }],
  },
};

async function inParallel<Item>(items: readonly Item[], work: (item: Item) => Promise<unknown>): Promise<void> {
  const left = items.values();
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (const item of left) await work(item);
    }),
  );
}

const timeout = 180_000;

describeCluster("kirikae controller", () => {
  test(
    "the leader is killed in the middle of a step, and the second goes on and ends it",
    { timeout },
    async ({ site, kubectl }) => {
      await clean(kubectl, site);
      await using one = await ControllerProcess.start(site, { identity: "one" });
      await one.whenSaid(/info leads/u);
      await using two = await ControllerProcess.start(site, { identity: "two" });
      await two.whenSaid(/waits; one leads/u);
      await using load = await site.startLoad();
      await kubectl.apply(buildRelease("outlives", { canary: { weights: [10, 30, 50], hold: "500ms" } }));
      await one.whenSaid(/step 1 of 7 is done/u);
      await until(async () => (await statusOf(kubectl, "outlives")).phase === "Moving", {
        what: () => "a step that moves",
      });
      await one.kill();
      await kubectl.run(["wait", "--for=condition=Ready", "release/outlives", "-n", namespace, "--timeout=120s"]);
      const view = viewRecords(await load.stop(), { doneMs: Date.now(), now: "green" });
      expect(view).toMatchObject({ failed: 0, oldAfterDone: 0 });
      expect((await statusOf(kubectl, "outlives")).controller).toBe("two");
      await kubectl.run(["delete", "release", "outlives", "-n", namespace, "--timeout=30s"]);
    },
  );

  test(
    "of two controllers that do not share a Lease, one steps down, and the release goes on",
    { timeout },
    async ({ site, kubectl }) => {
      await clean(kubectl, site);
      await using one = await ControllerProcess.start(site, { identity: "one" });
      await using load = await site.startLoad();
      await kubectl.apply(buildRelease("fought-over", { canary: { weights: [10, 30, 50], hold: "3s" } }));
      await one.whenSaid(/step 1 of 7 is done/u);
      await using two = await ControllerProcess.start(site, { identity: "two", args: ["--lease-name", "another"] });
      await two.whenSaid(/info leads/u);
      await one.whenSaid(/steps down/u);
      await kubectl.run(["wait", "--for=condition=Ready", "release/fought-over", "-n", namespace, "--timeout=120s"]);
      const view = viewRecords(await load.stop(), { doneMs: Date.now(), now: "green" });
      expect(view).toMatchObject({ failed: 0, oldAfterDone: 0 });
      const { journal } = await statusOf(kubectl, "fought-over");
      expect(journal?.configMaps).toHaveLength(1);
      await kubectl.run(["delete", "release", "fought-over", "-n", namespace, "--timeout=60s"]);
    },
  );

  test.for([
    ["restore", { blue: 100, green: 0 }],
    ["leave", { blue: 70, green: 30 }],
  ] as const)(
    "a Release that is deleted on its way: %s",
    { timeout },
    async ([whenDeleted, weights], { site, kubectl }) => {
      await clean(kubectl, site);
      await using controller = await ControllerProcess.start(site, { identity: "one" });
      void controller;
      const steps = [
        { preview: { name: "testers", match: [{ headers: { "x-tester": { exact: "1" } } }] } },
        { weight: 30 },
        { hold: {} },
        { switch: {} },
      ];
      await kubectl.apply(buildRelease("goes", { steps }, { whenDeleted }));
      await whenPhase(kubectl, "goes", "Holding");
      expect(await kubectl.run(["get", "virtualservice", "app", "-n", namespace, "-o", "yaml"])).toContain(
        "kirikae/preview",
      );
      await kubectl.run(["delete", "release", "goes", "-n", namespace, "--timeout=90s"]);
      expect(await weightsOf(kubectl)).toEqual(weights);
      expect(await kubectl.run(["get", "virtualservice", "app", "-n", namespace, "-o", "yaml"])).not.toContain(
        "kirikae/preview",
      );
    },
  );

  test("does each order of an annotation once, and says what became of it", { timeout }, async ({ site, kubectl }) => {
    await clean(kubectl, site);
    await using controller = await ControllerProcess.start(site, { identity: "one" });
    void controller;
    await kubectl.apply(
      buildRelease("told", { steps: [{ weight: 10 }, { hold: {} }, { weight: 40 }, { hold: {} }, { switch: {} }] }),
    );
    await whenPhase(kubectl, "told", "Holding");
    await order(kubectl, "told", "promotte");
    await until(async () => (await statusOf(kubectl, "told")).lastOrder?.state === "Refused", {
      what: () => "a refusal",
    });
    await order(kubectl, "told", '{"order":"promote","actor":"ann","reason":"looks good"}');
    await until(async () => (await statusOf(kubectl, "told")).step === "4/5", { what: () => "the fourth step" });
    const { lastOrder } = await statusOf(kubectl, "told");
    expect(lastOrder).toMatchObject({ state: "Accepted", actor: "ann", reason: "looks good" });
    const object = await kubectl.getJson<KubeObject>(["release", "told", "-n", namespace]);
    expect(object.metadata["annotations"]).not.toHaveProperty("kirikae.dev/order");
    expect(await weightsOf(kubectl)).toEqual({ blue: 60, green: 40 });
    await order(kubectl, "told", "rollback");
    await kubectl.run([
      "wait",
      "--for=jsonpath={.status.phase}=RolledBack",
      "release/told",
      "-n",
      namespace,
      "--timeout=60s",
    ]);
    expect(await weightsOf(kubectl)).toEqual({ blue: 100, green: 0 });
    await kubectl.run(["delete", "release", "told", "-n", namespace, "--timeout=30s"]);
  });

  test(
    "somebody who edits the weights stops the release, and nothing is written over",
    { timeout },
    async ({ site, kubectl }) => {
      await clean(kubectl, site);
      await using controller = await ControllerProcess.start(site, { identity: "one" });
      void controller;
      await kubectl.apply(buildRelease("edited", { steps: [{ weight: 10 }, { hold: {} }, { switch: {} }] }));
      await whenPhase(kubectl, "edited", "Holding");
      const rules = buildVirtualService(site.shape, { blue: 80, green: 20 })["spec"] as { readonly http: unknown };
      await kubectl.run([
        "patch",
        "virtualservice",
        "app",
        "-n",
        namespace,
        "--type=merge",
        "-p",
        JSON.stringify({ spec: { http: rules.http } }),
      ]);
      const { message } = await whenPhase(kubectl, "edited", "Failed");
      expect(message).toContain("public");
      expect(await weightsOf(kubectl)).toEqual({ blue: 80, green: 20 });
      await kubectl.run(["delete", "release", "edited", "-n", namespace, "--timeout=60s"]);
    },
  );

  test(
    "the second of two Releases with the same routes waits for the first",
    { timeout },
    async ({ site, kubectl }) => {
      await clean(kubectl, site);
      await using controller = await ControllerProcess.start(site, { identity: "one" });
      void controller;
      await kubectl.apply(buildRelease("first", { steps: [{ weight: 10 }, { hold: {} }, { switch: {} }] }));
      await whenPhase(kubectl, "first", "Holding");
      await kubectl.apply(buildRelease("second", { steps: [{ weight: 20 }, { hold: {} }] }, { to: "blue" }));
      expect((await whenPhase(kubectl, "second", "Pending")).message).toContain("controlled/first is holding");
      await order(kubectl, "first", "promote");
      await whenPhase(kubectl, "first", "Done");
      await whenPhase(kubectl, "second", "Holding");
      await kubectl.run(["delete", "release", "first", "second", "-n", namespace, "--timeout=60s"]);
    },
  );

  test(
    "has room for 200 Releases among 1,000 VirtualServices in 300 MB, and starts all of them",
    { timeout: 300_000 },
    async ({ site, kubectl, cluster }) => {
      await clean(kubectl, site);
      const { client } = cluster;
      const services = Array.from({ length: 1_000 }, (_, index) => buildOneOfMany(site, index));
      const releases = services.slice(0, 200).map(({ metadata: { name } }) => ({
        ...buildRelease(name, { steps: [{ hold: {} }, { switch: {} }] }),
        spec: { routes: [{ virtualService: name }], to: "green", strategy: { steps: [{ hold: {} }, { switch: {} }] } },
      }));
      await inParallel([gatewayOfMany, ...services, ...releases], (object) => client.create(object));
      let last = "";
      await using controller = await ControllerProcess.start(site, { identity: "one" });
      await until(
        async () => {
          const held = await kubectl.run(["get", "releases", "-n", namespace, "--no-headers"]);
          last = held.slice(0, 1_000);
          return held.split("\n").filter((line) => line.includes("Holding")).length === 200;
        },
        { timeoutMs: 120_000, what: () => `200 that hold:\n${last}\n${controller.lines.slice(-5).join("\n")}` },
      );
      const { text } = await controller.ask("/metrics");
      const bytes = Number(/process_resident_memory_bytes (?<bytes>\d+)/u.exec(text)?.groups?.["bytes"]);
      console.info(`${Math.round(bytes / 1e6)} MB with 200 Releases among 1,000 VirtualServices`);
      expect(bytes).toBeLessThan(300e6);
      await controller[Symbol.asyncDispose]();
      await clean(kubectl, site);
      await inParallel([...services, gatewayOfMany], (object) => client.delete(object));
    },
  );

  test(
    "the API server is away for half a minute in the middle of a step, and traffic stays",
    { timeout },
    async ({ site, kubectl, cluster }) => {
      await clean(kubectl, site);
      await using controller = await ControllerProcess.start(site, { identity: "one" });
      await using load = await site.startLoad();
      await kubectl.apply(buildRelease("patient", { canary: { weights: [10, 50], hold: "2s" } }));
      await controller.whenSaid(/step 1 of 5 is done/u);
      await cluster.api.program.stop();
      await new Promise((resolve) => setTimeout(resolve, 30_000));
      expect((await controller.ask("/healthz")).status).toBe(200);
      await cluster.api.program.start();
      await kubectl.run(["wait", "--for=condition=Ready", "release/patient", "-n", namespace, "--timeout=120s"]);
      const view = viewRecords(await load.stop(), { doneMs: Date.now(), now: "green" });
      expect(view).toMatchObject({ failed: 0, oldAfterDone: 0 });
      await kubectl.run(["delete", "release", "patient", "-n", namespace, "--timeout=30s"]);
    },
  );
});
