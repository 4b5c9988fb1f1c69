import { describe, expect, it } from "vitest";
import { writtenWeights } from "./cluster/written-weights.ts";

const to = (subset: string, weight?: number) => ({ destination: { subset }, ...(weight !== undefined && { weight }) });

const routes = (route: readonly object[]) => ({
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  metadata: { name: "app", namespace: "shop" },
  spec: {
    http: [
      { name: "other", route: [to("red")] },
      { name: "public", route },
    ],
  },
});

describe("the weights that cluster tests read of a VirtualService", () => {
  it("give an only destination everything, whether it has a weight or none", () => {
    expect(writtenWeights(routes([to("blue")]), "public")).toEqual({ blue: 100 });
    expect(writtenWeights(routes([to("blue", 0)]), "public")).toEqual({ blue: 100 });
  });

  it("give nothing to one of several that has none", () => {
    expect(writtenWeights(routes([to("blue"), to("green", 100)]), "public")).toEqual({ blue: 0, green: 100 });
  });

  it("are of the named rule alone, and empty where there is none", () => {
    expect(writtenWeights(routes([to("blue", 90), to("green", 10)]), "public")).toEqual({ blue: 90, green: 10 });
    expect(writtenWeights(routes([]), "absent")).toEqual({});
  });
});
