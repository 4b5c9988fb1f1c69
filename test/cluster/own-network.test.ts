import { join } from "node:path";
import { expect, inject } from "vitest";
import { temporaryFolder } from "../temporary-folder.ts";
import { Cluster } from "./cluster.ts";
import { startOwnNetwork } from "./own-network.ts";
import { describeCluster, test } from "./shared-cluster.ts";
import { Site, viewRecords } from "./site.ts";
import { buildApp, buildVirtualService } from "./site-objects.ts";

const inOwnNetwork = test.extend("site", { scope: "file" }, async ({ programs }, { onCleanup }) => {
  const stack = new AsyncDisposableStack();
  onCleanup(() => stack.disposeAsync());
  if (programs.kind === "missing") throw new Error("a program is missing");
  const { path } = stack.use(await temporaryFolder());
  const place = await startOwnNetwork(join(path, "network.log"));
  if (place === undefined) return undefined;
  stack.use(place);
  const cluster = stack.use(await Cluster.start({ ...programs, envoy: inject("envoyBinary").path, place }));
  return stack.use(await Site.start({ cluster, namespace: "pods", gateways: 2, replicas: 2, registry: "service" }));
});

describeCluster("Services, Pods and EndpointSlices with addresses of their own", () => {
  inOwnNetwork(
    "istiod routes to the endpoints of a Service, and the API server reaches pods",
    async ({ site, skip }) => {
      if (site === undefined) return skip("no network namespace");
      const { client } = site.cluster;
      const path = `/api/v1/namespaces/${site.namespace}/pods`;
      expect(await client.get(`${path}/app-blue-0:8080/proxy/`)).toBe("blue\n");
      // What the API server refuses for loopback is how kirikae asks where it may not forward ports.
      expect(await client.get(`${path}/gateway-1:15000/proxy/ready`)).toBe("LIVE\n");
      await using load = await site.startLoad();
      await client.apply(buildVirtualService(site.shape, { green: 100 }));
      for (const gateway of site.gateways) await site.whenAnswered(gateway, (version) => version === "green");
      const { failed, byVersion } = viewRecords(await load.stop());
      expect(failed).toBe(0);
      expect(byVersion).toMatchObject({ blue: expect.any(Number) });
    },
  );

  inOwnNetwork("kirikae moves what Services and EndpointSlices say, and takes it back", async ({ site, skip }) => {
    if (site === undefined) return skip("no network namespace");
    await site.cluster.client.apply(buildVirtualService(site.shape));
    for (const gateway of site.gateways) await site.whenAnswered(gateway, (version) => version === "blue");
    await using load = await site.startLoad();
    const switched = await site.kirikae(["switch", "app", "-n", site.namespace, "--to", "green"]);
    expect(switched, switched.stderr).toMatchObject({ exitCode: 0 });
    expect(switched.stdout).toMatch(/endpoints of green\s+2 ready/);
    const view = viewRecords(await load.stop(), { doneMs: switched.endMs, now: "green" });
    expect(view).toMatchObject({ failed: 0, oldAfterDone: 0 });
    const rolled = await site.kirikae(["rollback", "app", "-n", site.namespace]);
    expect(rolled, rolled.stderr).toMatchObject({ exitCode: 0 });
    for (const gateway of site.gateways) expect(await site.ask(gateway)).toBe("blue");
  });

  inOwnNetwork("a version without ready endpoints gets no weight", async ({ site, skip }) => {
    if (site === undefined) return skip("no network namespace");
    const { client } = site.cluster;
    const blueOnly = site.shape.endpoints.filter(({ version }) => version === "blue");
    for (const object of buildApp({ ...site.shape, endpoints: blueOnly })) {
      if (object.kind === "EndpointSlice") await client.apply(object);
    }
    const switched = await site.kirikae(["switch", "app", "-n", site.namespace, "--to", "green"]);
    expect(switched.exitCode).not.toBe(0);
    expect(switched.stdout + switched.stderr).toContain("KIR2010");
    for (const gateway of site.gateways) expect(await site.ask(gateway)).toBe("blue");
  });
});
