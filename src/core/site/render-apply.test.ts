import { describe, expect, it } from "vitest";
import { renderApply } from "./render-apply.ts";
import type { SiteObject } from "./site-object.ts";

const live: SiteObject = {
  apiVersion: "networking.istio.io/v1",
  kind: "DestinationRule",
  metadata: {
    name: "app",
    namespace: "shop",
    resourceVersion: "7",
    uid: "u",
    labels: { team: "shop" },
    annotations: { "team.example/owner": "shop" },
    managedFields: [{ manager: "kubectl", operation: "Update" }],
  },
  spec: { host: "app", subsets: [], trafficPolicy: {} },
};

describe("renderApply", () => {
  it("names the object and the version that it was planned on, and takes no field along that is another's", () => {
    expect(renderApply(live, { annotations: { "kirikae.dev/moved-by": "ana" }, spec: { subsets: [] } })).toEqual({
      apiVersion: "networking.istio.io/v1",
      kind: "DestinationRule",
      metadata: {
        name: "app",
        namespace: "shop",
        resourceVersion: "7",
        annotations: { "kirikae.dev/moved-by": "ana" },
      },
      spec: { subsets: [] },
    });
  });

  it("says nothing of annotations where there are none", () => {
    expect(renderApply(live, { annotations: {}, spec: {} }).metadata).not.toHaveProperty("annotations");
  });
});
