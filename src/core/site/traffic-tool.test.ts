import { describe, expect, test } from "vitest";
import type { SiteMeta, SiteObject } from "./site-object.ts";
import { findTrafficTool } from "./traffic-tool.ts";

const nobody = { takeOver: [] };
const managed = { "argo-rollouts.argoproj.io/managed-by-rollouts": "web" };
const canary = { apiVersion: "flagger.app/v1beta1", kind: "Canary", name: "web", uid: "1" };

function service(hosts: readonly string[], metadata: Partial<SiteMeta> = {}): SiteObject {
  const route = hosts.map((host) => ({ destination: { host } }));
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "web", namespace: "shop", ...metadata },
    spec: { http: [{ route }] },
  };
}

function beside(kind: "Service" | "DestinationRule", name: string, annotations: SiteMeta["annotations"]): SiteObject {
  const metadata = { name, namespace: "shop", ...(annotations !== undefined && { annotations }) };
  return { apiVersion: "v1", kind, metadata, spec: { host: name } };
}

describe("a tool that moves weights without owning them", () => {
  test.each(["web", "web.shop.svc.cluster.local"])("is Argo Rollouts, by the destinations of %s", (host) => {
    const rule = beside("DestinationRule", "web", managed);
    expect(findTrafficTool(service([host]), [rule], nobody)).toMatchObject({
      manager: "rollouts-controller",
      reason: "manages DestinationRule shop/web for the Rollout web",
    });
    expect(findTrafficTool(service([host]), [beside("Service", "web", managed)], nobody)?.manager).toBe(
      "rollouts-controller",
    );
  });

  test("is Flagger, by the owner of the VirtualService", () => {
    expect(findTrafficTool(service(["web"], { ownerReferences: [canary] }), [], nobody)).toMatchObject({
      manager: "flagger",
      reason: "has made it for the Canary web",
    });
  });

  test("is nobody where destinations are others', or nothing is said, or it may be taken over from", () => {
    const rule = beside("DestinationRule", "web", managed);
    expect(findTrafficTool(service(["api"]), [rule], nobody)).toBeUndefined();
    expect(findTrafficTool(service(["web"]), [beside("DestinationRule", "web", undefined)], nobody)).toBeUndefined();
    expect(findTrafficTool(service(["web"]), [rule], { takeOver: ["rollouts-controller"] })).toBeUndefined();
    const annotations = { "kirikae.dev/takes-over-from": "flagger" };
    expect(findTrafficTool(service(["web"], { ownerReferences: [canary], annotations }), [], nobody)).toBeUndefined();
    const other = { ...canary, apiVersion: "other.example/v1" };
    expect(findTrafficTool(service(["web"], { ownerReferences: [other] }), [], nobody)).toBeUndefined();
  });
});
