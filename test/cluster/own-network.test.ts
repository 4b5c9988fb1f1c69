import { join } from "node:path";
import { expect, inject } from "vitest";
import { temporaryFolder } from "../temporary-folder.ts";
import { Cluster } from "./cluster.ts";
import { startOwnNetwork } from "./own-network.ts";
import { describeCluster, test } from "./shared-cluster.ts";
import { Site, viewRecords } from "./site.ts";
import { buildVirtualService } from "./site-objects.ts";

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
});
