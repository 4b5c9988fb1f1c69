import { anything, assert, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { readNonce, readSync } from "./read-sync.ts";

const uuid = "0f8fad5b-d9cb-469f-a165-70867728950e";
const nonce = (push: number): string => `2026-11-21T10:00:00Z/${push}${uuid}`;

describe("what istiod knows of its proxies", () => {
  test("is read by type, with versions of pushes", () => {
    const [proxy] = readSync([
      {
        cluster_id: "Kubernetes",
        proxy: "gateway-1.istio-system",
        proxy_type: "router",
        istio_version: "1.31.0",
        route_sent: nonce(17),
        route_acked: nonce(16),
        resources: {
          "type.googleapis.com/envoy.config.route.v3.RouteConfiguration": {
            sent: nonce(17),
            acked: nonce(16),
            sentTime: "2026-11-21T10:00:01.5Z",
            lastError: "no such cluster",
          },
          "type.googleapis.com/envoy.config.cluster.v3.Cluster": {
            sent: nonce(17),
            acked: nonce(17),
            sentTime: "0001-01-01T00:00:00Z",
          },
        },
      },
    ]);
    expect(proxy).toEqual({
      proxy: "gateway-1.istio-system",
      kind: "router",
      version: "1.31.0",
      types: {
        cluster: {
          sent: { nonce: nonce(17), version: "2026-11-21T10:00:00Z/17", push: 17 },
          acked: { nonce: nonce(17), version: "2026-11-21T10:00:00Z/17", push: 17 },
          lastError: undefined,
          sentAtMs: undefined,
        },
        route: {
          sent: { nonce: nonce(17), version: "2026-11-21T10:00:00Z/17", push: 17 },
          acked: { nonce: nonce(16), version: "2026-11-21T10:00:00Z/16", push: 16 },
          lastError: "no such cluster",
          sentAtMs: Date.parse("2026-11-21T10:00:01.5Z"),
        },
      },
    });
  });

  test("what a proxy refuses is one line of words", () => {
    const lastError = 'goo.gle/debugproto    \n: Proto constraint validation failed (field: "override")';
    const [proxy] = readSync([{ proxy: "a.b", resources: { RDS: { sent: nonce(4), lastError } } }]);
    expect(proxy?.types.route?.lastError).toBe('Proto constraint validation failed (field: "override")');
  });

  test.each([
    [
      "with its reason, and not with the resource",
      'goo.gle/debugonly    \nname: "http.80"\nvirtual_hosts {\n  name: "a : b:80"\n  routes {\n    name: "rest"\n  }\n}\n' +
        "validate_clusters {\n}\nignore_port_in_host_matching: true\n: Proto constraint validation failed (Clusters : none)",
      '"http.80": Proto constraint validation failed (Clusters : none)',
    ],
    [
      "and without the half of it that Envoy has not cut off",
      'goo.gle/debugproto   \nname: "http.80"\nvirtual_hosts {\n  name: "a : b:80"\n  domains: "a : ...(truncated)',
      '"http.80": istiod was not told the whole reason, because Envoy cuts long ones off; the proxy\'s log has it',
    ],
  ])("what a proxy refuses is named %s", (_, lastError, told) => {
    const [proxy] = readSync([{ proxy: "a.b", resources: { RDS: { sent: nonce(4), lastError } } }]);
    expect(proxy?.types.route?.lastError).toBe(told);
  });

  test("is read from an istiod that tells no resources", () => {
    const [proxy] = readSync([{ proxy: "a.b", cluster_sent: nonce(3), cluster_acked: nonce(3), route_sent: "odd" }]);
    expect(proxy?.types.cluster?.acked?.push).toBe(3);
    expect(proxy?.types.route).toBeUndefined();
    expect(proxy?.kind).toBeUndefined();
  });

  test.each(["RDS", "envoy.config.route.v3.RouteConfiguration", "type.googleapis.com/envoy.api.v2.RouteConfiguration"])(
    "is found under %s",
    (name) => {
      expect(readSync([{ proxy: "a.b", resources: { [name]: { sent: nonce(4) } } }])[0]?.types.route?.sent?.push).toBe(
        4,
      );
    },
  );

  test("is nothing where it is of another form, and never throws", () => {
    assert(
      property(anything({ withNullPrototype: true }), (json) => {
        for (const proxy of readSync(json)) expect(typeof proxy.proxy).toBe("string");
      }),
    );
    assert(
      property(anything(), (json) => {
        expect(readSync([{ proxy: "a.b", resources: json, route_sent: json }])).toHaveLength(1);
      }),
    );
  });

  test("keeps a nonce that is no push's out", () => {
    expect(readNonce(`17${uuid}`)).toBeUndefined();
    expect(readNonce("2026-11-21T10:00:00Z/17")).toBeUndefined();
    expect(readNonce(undefined)).toBeUndefined();
  });
});
