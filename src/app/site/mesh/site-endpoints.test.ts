import { expect, test } from "vitest";
import { kubeKinds } from "../../../kubernetes/kube-kinds.ts";
import type { KubeObject } from "../../../kubernetes/kube-object.ts";
import { createUnreadyCount } from "./site-endpoints.ts";
import { ListedObjects } from "../objects/site-objects.ts";

const metadata = (name: string, labels: Readonly<Record<string, string>> = {}) => ({ name, namespace: "shop", labels });

const service: KubeObject = { apiVersion: "v1", kind: "Service", metadata: metadata("web"), spec: {} };

const rule: KubeObject = {
  apiVersion: "networking.istio.io/v1",
  kind: "DestinationRule",
  metadata: metadata("web"),
  spec: {
    host: "web",
    subsets: ["blue", "green"].map((version) => ({ name: version, labels: { version } })),
  },
};

function endpoint(pod: string, address: string, ready: boolean | undefined) {
  return {
    addresses: [address],
    conditions: ready === undefined ? {} : { ready },
    targetRef: { kind: "Pod", name: pod },
  };
}

test("endpoints that are not ready are counted by the labels of their pods, once each", () => {
  const objects = new ListedObjects();
  objects.add(kubeKinds.service, [service]);
  objects.add(kubeKinds.destinationRule, [rule]);
  const pods = { "blue-1": "blue", "green-1": "green", "green-2": "green" };
  objects.add(
    kubeKinds.pod,
    Object.entries(pods).map(([name, version]) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: metadata(name, { version }),
    })),
  );
  const labels = { "kubernetes.io/service-name": "web" };
  const green = endpoint("green-2", "10.0.0.3", false);
  objects.add(kubeKinds.endpointSlice, [
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: metadata("web-1", labels),
      endpoints: [endpoint("blue-1", "10.0.0.1", true), endpoint("green-1", "10.0.0.2", undefined), green],
    },
    // Slices of one Service may name an endpoint twice while it goes from one to the other.
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: metadata("web-2", labels),
      endpoints: [green, endpoint("gone", "10.0.0.9", false)],
    },
  ]);
  const count = createUnreadyCount(objects);
  const host = "web.shop.svc.cluster.local";
  expect(count(`outbound|80|blue|${host}`)).toBe(0);
  expect(count(`outbound|80|green|${host}`)).toBe(1);
  expect(count(`outbound|80||${host}`)).toBe(2);
  expect(count(`outbound|80|purple|${host}`)).toBe(0);
  expect(count("outbound|80||elsewhere.example.com")).toBe(0);
});
