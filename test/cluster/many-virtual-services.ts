import type { KubeObject } from "./kube-client.ts";
import type { Site } from "./site.ts";
import { appHostOf, appPort } from "./site-objects.ts";

const atOnce = 8;
/** Whatever has it goes with them. */
export const label = "kirikae.test/many";

/** Other teams' VirtualServices on the gateways of a site, four routes each, which make every push of istiod larger. */
export async function addManyVirtualServices(site: Site, count: number): Promise<void> {
  const { client } = site.cluster;
  await client.apply(buildGateway(site));
  const waiting = Array.from({ length: count }, (_, index) => index).values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const index of waiting) await client.apply(buildOne(site, index));
    }),
  );
}

/** All of them at once. */
export async function removeManyVirtualServices(site: Site): Promise<void> {
  const { client } = site.cluster;
  const folder = `/apis/networking.istio.io/v1/namespaces/${site.namespace}/virtualservices`;
  await client.deleteAll(`${folder}?labelSelector=${encodeURIComponent(label)}`);
  await client.deleteIfThere(buildGateway(site));
}

function hostOf(site: Site, index: number | "*"): string {
  return `${index === "*" ? "*" : `app-${index}`}.many.${site.namespace}.example.com`;
}

function buildGateway(site: Site): KubeObject {
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "Gateway",
    metadata: { name: "many", namespace: site.namespace },
    spec: {
      selector: { istio: site.namespace },
      servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: [hostOf(site, "*")] }],
    },
  };
}

function buildOne(site: Site, index: number): KubeObject {
  const route = [{ destination: { host: appHostOf(site.shape), port: { number: appPort } } }];
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: `many-${index}`, namespace: site.namespace, labels: { [label]: "" } },
    spec: {
      hosts: [hostOf(site, index)],
      gateways: ["many"],
      http: [
        ...["a", "b", "c"].map((name) => ({
          name: `${name}-${index}`,
          match: [{ uri: { prefix: `/${name}/${index}` }, headers: { "x-team": { exact: name } } }],
          rewrite: { uri: "/" },
          route,
        })),
        { name: `rest-${index}`, route },
      ],
    },
  };
}
