import * as fc from "fast-check";
import { httpRules, rootRules } from "./http-rule.ts";
import { manifest } from "./mesh-services.ts";
import { sometimes, withoutAbsent } from "./sometimes.ts";

const outsideHosts = fc.constantFrom(
  ["a.x.com"],
  ["b.x.com"],
  ["a.x.com", "b.x.com"],
  ["*.x.com"],
  ["*.a.x.com"],
  ["x.com"],
  ["*"],
  ["c.b.x.com", "x.com"],
  ["*.b.x.com", "a.x.com"],
);

const meshHosts = fc.constantFrom(
  ["k0"],
  ["k0.default.svc.cluster.local"],
  ["u0.default.svc.cluster.local"],
  ["u1.default.svc.cluster.local", "a.x.com"],
  ["*.default.svc.cluster.local"],
  ["a.x.com"],
  ["*.x.com"],
);

const gateways = fc.constantFrom(["gw0"], ["gw1"], ["gw0", "gw1"], ["default/gw0"], ["default/gw1", "gw0"]);

const delegateRefs = [{ name: "d0" }, { name: "d1", namespace: "team" }, { name: "gone" }];

const placed = {
  namespace: fc.constantFrom("default", "default", "team", "istio-system"),
  /** Days of a month, so that names and times disagree about the order. */
  day: sometimes(fc.integer({ min: 1, max: 9 })),
  exportTo: sometimes(fc.constantFrom(["*"], ["."], ["istio-system"], ["istio-system", "default"])),
};

/** VirtualServices with HTTP rules for a gateway, for the mesh or for both. */
export function httpVirtualServices(name: string): fc.Arbitrary<object> {
  const bound = fc.oneof(
    { weight: 3, arbitrary: fc.record({ hosts: outsideHosts, gateways }) },
    {
      weight: 1,
      arbitrary: fc.record({
        hosts: meshHosts,
        gateways: fc.constantFrom<string[] | undefined>(undefined, ["mesh"], ["mesh", "gw0"]),
      }),
    },
  );
  return fc
    .record({ ...placed, bound, http: fc.array(rootRules(delegateRefs), { minLength: 1, maxLength: 4 }) })
    .map(({ bound: { hosts, gateways: bindings }, http, ...place }) =>
      placeOf(name, place, { hosts, gateways: qualify(bindings, place.namespace), http }),
    );
}

/** Two VirtualServices without hosts, which others hand requests to. */
export const delegates: fc.Arbitrary<readonly object[]> = fc
  .tuple(
    fc.array(httpRules(), { minLength: 1, maxLength: 2 }),
    fc.array(httpRules(), { minLength: 1, maxLength: 2 }),
    sometimes(fc.constantFrom(["default"], ["."])),
  )
  .map(([first, second, exportTo]) => [
    manifest("VirtualService", { name: "d0" }, { http: first }),
    manifest("VirtualService", { name: "d1", namespace: "team" }, withoutAbsent({ http: second, exportTo })),
  ]);

const connectionSplit = fc.constantFrom<object[]>(
  [{ destination: { host: "t0.default.svc.cluster.local" } }],
  [{ destination: { host: "k0.default.svc.cluster.local", port: { number: 9000 } } }],
  [{ destination: { host: "u1.default.svc.cluster.local", subset: "blue" } }],
  [{ destination: { host: "u2.default.svc.cluster.local", subset: "empty" } }],
  [{ destination: { host: "nowhere.org" } }],
  [
    { destination: { host: "t0.default.svc.cluster.local" }, weight: 50 },
    { destination: { host: "u3.default.svc.cluster.local" }, weight: 50 },
  ],
  [
    { destination: { host: "t0.default.svc.cluster.local" }, weight: 0 },
    { destination: { host: "u3.default.svc.cluster.local" }, weight: 1 },
  ],
);

const serverNames = fc.constantFrom(
  { hosts: ["a.x.com"], sniHosts: ["a.x.com"] },
  { hosts: ["*.x.com"], sniHosts: ["*.x.com"] },
  { hosts: ["*.x.com"], sniHosts: ["b.x.com", "c.b.x.com"] },
  { hosts: ["*"], sniHosts: ["*.b.x.com"] },
  { hosts: ["*"], sniHosts: ["*"] },
  { hosts: ["k0.default.svc.cluster.local"], sniHosts: ["k0.default.svc.cluster.local"] },
  { hosts: ["t0.default.svc.cluster.local"], sniHosts: ["t0.default.svc.cluster.local"] },
);

/** VirtualServices whose rules take whole connections. */
export function connectionVirtualServices(name: string): fc.Arbitrary<object> {
  return fc
    .record({
      ...placed,
      names: serverNames,
      gateways: fc.constantFrom(["gw0"], ["gw1"], ["gw0", "gw1"], ["mesh"]),
      tls: connectionSplit,
      tlsPort: sometimes(fc.constantFrom(443, 444)),
      tcp: sometimes(connectionSplit),
      tcpPort: sometimes(fc.constantFrom(9000, 443)),
    })
    .filter(({ names, gateways: bindings }) => names.hosts[0] !== "*" || bindings[0] !== "mesh")
    .map(({ names: { hosts, sniHosts }, gateways: bindings, tls, tlsPort, tcp, tcpPort, ...place }) => {
      const rules = {
        tls: [{ match: [withoutAbsent({ sniHosts, port: tlsPort })], route: tls }],
        tcp:
          tcp === undefined
            ? undefined
            : [{ ...(tcpPort === undefined ? {} : { match: [{ port: tcpPort }] }), route: tcp }],
      };
      return placeOf(name, place, { hosts, gateways: qualify(bindings, place.namespace), ...rules });
    });
}

/** Gateways live in `default`, whoever names them. */
function qualify(gatewayNames: readonly string[] | undefined, namespace: string): readonly string[] | undefined {
  if (namespace === "default") return gatewayNames;
  return gatewayNames?.map((name) => (name === "mesh" ? name : `default/${name.replace(/^.*\//, "")}`));
}

interface Place {
  readonly namespace: string;
  readonly day: number | undefined;
  readonly exportTo: readonly string[] | undefined;
}

function placeOf(name: string, { namespace, day, exportTo }: Place, spec: object): object {
  const created = day === undefined ? {} : { creationTimestamp: `2026-01-0${day}T00:00:00Z` };
  return manifest("VirtualService", { name, namespace, ...created }, withoutAbsent({ ...spec, exportTo }));
}
