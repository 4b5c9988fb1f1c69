import * as fc from "fast-check";
import type { SimulatedRequest } from "../../src/core/routes/simulation.ts";

/** Every place that a generated rule can send to; whoever runs the case gives each an address of its own. */
export const upstreams = ["u0", "u1-blue", "u1-green", "u2-blue", "u2-green", "u3"] as const;
export type Upstream = (typeof upstreams)[number];

/** A small mesh and requests that are likely to meet the edges of its rules. */
export interface RouteCase {
  /** Manifests; the one listener is that of port 80. */
  readonly yaml: string;
  readonly requests: readonly SimulatedRequest[];
}

export interface RouteCaseOptions {
  readonly addressOf: (upstream: Upstream) => { readonly address: string; readonly port: number };
  /** Requests for each mesh. */
  readonly requests: number;
}

/**
 * Random Gateways, VirtualServices and DestinationRules with overlapping hosts and every kind of match and action.
 * Left out is only what a client cannot see: timeouts, retries and mirrors, and headers that a proxy sets itself.
 * Bodies of direct responses begin with `direct`, so that a 404 that a rule gives differs from a miss.
 */
export function routeCases(options: RouteCaseOptions): fc.Arbitrary<RouteCase> {
  return fc
    .record({
      gateways: fc.array(gatewayHosts, { minLength: 1, maxLength: 2 }),
      rules: fc.array(virtualServiceSpec, { minLength: 1, maxLength: 5 }),
      requests: fc.array(simulatedRequest, { minLength: options.requests, maxLength: options.requests }),
    })
    .map(({ gateways, rules, requests }) => ({
      requests,
      yaml: [
        ...gateways.map((hosts, index) => manifest("Gateway", `gw${index}`, gatewaySpec(hosts, index))),
        ...rules.map((spec, index) => manifest("VirtualService", `vs${index}`, spec)),
        ...services(options),
      ]
        .map((object) => JSON.stringify(object))
        .join("\n---\n"),
    }));
}

/** A request whose parts come from the same small pools as the rules, with variations that normalization removes. */
export const simulatedRequest: fc.Arbitrary<SimulatedRequest> = fc.record({
  port: fc.constant(80),
  scheme: fc.constant("http" as const),
  authority: fc.constantFrom(
    "a.x.com",
    "A.X.com",
    "a.x.com:80",
    "a.x.com:8080",
    "b.x.com",
    "c.b.x.com",
    "d.a.x.com",
    "x.com",
    "other.org",
  ),
  method: fc.constantFrom("GET", "POST", "DELETE"),
  target: fc
    .tuple(
      fc.constantFrom(
        "/",
        "/a",
        "/a/",
        "/ab",
        "/a/b",
        "/A/b",
        "/a/1",
        "/a/12/c",
        "/a//b",
        "/a/../b",
        "/a/./b",
        "/%61/b",
        "/a%2Fb",
        "/a/%2e%2e/ab",
        "/b;v=1",
        "/b",
        "/c.d",
        "/a|b",
        "/..",
        "/a\\b",
        "/%zz",
        "/%7Ea",
      ),
      fc.constantFrom("", "?", "?p=1", "?p=2&p=1", "?p", "?q=1&p=12", "?p=%31", "?a/../b", "?P=1", "?p=1=2"),
    )
    .map(([path, query]) => path + query),
  headers: fc.array(
    fc.constantFrom(
      ["x-v", "green"],
      ["X-V", "blue"],
      ["x-v", "greenish"],
      ["x-v", "1"],
      ["x-w", "1"],
      ["x-w", "a b"],
      ["x-v", "GREEN"],
    ) as fc.Arbitrary<readonly [string, string]>,
    { maxLength: 3 },
  ),
});

const gatewayHosts = fc.constantFrom(
  ["*"],
  ["*.x.com"],
  ["a.x.com", "*.b.x.com"],
  ["default/*"],
  ["./a.x.com", "x.com"],
);

const hostLists = fc.constantFrom(
  ["a.x.com"],
  ["b.x.com"],
  ["a.x.com", "b.x.com"],
  ["*.x.com"],
  ["*.a.x.com"],
  ["x.com"],
  ["*"],
  ["c.b.x.com", "x.com"],
);

function textMatch(values: readonly string[], regexes: readonly string[]): fc.Arbitrary<object> {
  return fc.oneof(
    fc.constantFrom(...values).map((exact) => ({ exact })),
    fc.constantFrom(...values).map((prefix) => ({ prefix })),
    fc.constantFrom(...regexes).map((regex) => ({ regex })),
  );
}

const uri = textMatch(
  ["/", "/a", "/a/", "/A", "/a/b", "/b", "/ab"],
  [".*", "/a/[0-9]+", "/a.*", "/[^/]*", "(?i)/A/.*", "/a|/b"],
);
const headerValue = fc.oneof(textMatch(["green", "1", "gr"], ["gre+n.*", "[0-9]", "*", ".*"]), fc.constant({}));
const headerMatches = fc.dictionary(fc.constantFrom("x-v", "X-W"), headerValue, { maxKeys: 2 });
const queryMatches = fc.dictionary(
  fc.constantFrom("p", "q"),
  fc.oneof(textMatch(["1", "12"], ["1.*", "[0-9]+"]), fc.constant({})),
  { maxKeys: 2 },
);

/** An absent key most of the time, so that rules are not so narrow that nothing ever meets them. */
function sometimes<Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> {
  return fc.option(value, { nil: undefined, freq: 2 });
}

const httpMatch = fc
  .record({
    uri: fc.option(uri, { nil: undefined, freq: 4 }),
    ignoreUriCase: sometimes(fc.boolean()),
    headers: sometimes(headerMatches),
    withoutHeaders: sometimes(headerMatches),
    queryParams: sometimes(queryMatches),
    method: sometimes(textMatch(["GET", "POST"], ["GET|DELETE"])),
    authority: sometimes(textMatch(["a.x.com", "b.x.com", "a."], [".*:80", "[ab].x.com"])),
    scheme: sometimes(fc.constantFrom({ exact: "http" }, { exact: "https" })),
    port: sometimes(fc.constantFrom(80, 81)),
    gateways: sometimes(fc.constantFrom(["gw0"], ["default/gw1"])),
    sourceNamespace: sometimes(fc.constantFrom("istio-system", "default")),
  })
  .map(withoutAbsent);

const destination = fc.constantFrom(
  { host: "u0" },
  { host: "u3" },
  { host: "u1", subset: "blue" },
  { host: "u1", subset: "green" },
  { host: "u2", subset: "blue" },
);

const shares = fc.constantFrom([100, 0], [0, 100], [50, 50], [3, 4], [1, 99]);

const forward = fc
  .record({
    route: fc.oneof(
      destination.map((only) => [{ destination: only }]),
      fc.tuple(fc.constantFrom("u1", "u2"), shares).map(([host, [blue, green]]) => [
        { destination: { host, subset: "blue" }, weight: blue },
        { destination: { host, subset: "green" }, weight: green },
      ]),
    ),
    rewrite: sometimes(
      fc.constantFrom<object>(
        { uri: "/" },
        { uri: "/new" },
        { uri: "/new/", authority: "inner.org" },
        { authority: "inner.org" },
        { uriRegexRewrite: { match: "^/a/([^/]+)", rewrite: "/n/\\1" } },
        { uriRegexRewrite: { match: "b*$", rewrite: "-\\0e" } },
        { uriRegexRewrite: { match: "/", rewrite: "/-" } },
      ),
    ),
    headers: sometimes(
      fc.constantFrom({ request: { set: { host: "set.org" } } }, { request: { set: { "x-s": "1" } } }),
    ),
  })
  .map(withoutAbsent);

const redirect = fc
  .record({
    uri: sometimes(fc.constantFrom("/moved", "/moved?k=1", "/")),
    authority: sometimes(fc.constantFrom("there.org", "there.org:8443")),
    scheme: sometimes(fc.constantFrom("https", "http")),
    port: sometimes(fc.constantFrom(80, 443, 8443)),
    redirectCode: fc.constantFrom(301, 302, 303, 307, 308),
  })
  .filter(({ uri: path, authority, scheme, port }) => (path ?? authority ?? scheme ?? port) !== undefined)
  .map((value) => ({ redirect: withoutAbsent(value) }));

const direct = fc
  .tuple(fc.constantFrom(200, 203, 404, 418, 503), fc.nat(99))
  .map(([status, number]) => ({ directResponse: { status, body: { string: `direct ${number}` } } }));

const httpRule = fc
  .record({
    match: fc.array(httpMatch, { maxLength: 2 }),
    action: fc.oneof(
      { weight: 3, arbitrary: forward },
      { weight: 1, arbitrary: redirect },
      { weight: 1, arbitrary: direct },
    ),
  })
  .map(({ match, action }) => (match.length === 0 ? action : { match, ...action }));

const virtualServiceSpec = fc.record({
  hosts: hostLists,
  gateways: fc.constantFrom(["gw0"], ["gw1"], ["gw0", "gw1"], ["./gw0"], ["default/gw1", "gw0"]),
  http: fc.array(httpRule, { minLength: 1, maxLength: 4 }),
});

function gatewaySpec(hosts: readonly string[], index: number): object {
  return {
    selector: { istio: "ingressgateway" },
    servers: [{ port: { number: 80, name: `http-${index}`, protocol: "HTTP" }, hosts }],
  };
}

function services({ addressOf }: RouteCaseOptions): readonly object[] {
  return ["u0", "u1", "u2", "u3"].flatMap((host) => {
    const members = upstreams.filter((name) => name === host || name.startsWith(`${host}-`));
    const subsets = members.filter((name) => name !== host).map((name) => name.slice(host.length + 1));
    const entry = manifest("ServiceEntry", host, {
      hosts: [`${host}.default.svc.cluster.local`],
      location: "MESH_INTERNAL",
      resolution: "STATIC",
      ports: [{ number: 8080, name: "http", protocol: "HTTP" }],
      endpoints: members.map((name) => {
        const { address, port } = addressOf(name);
        return { address, ports: { http: port }, labels: { version: name.slice(host.length + 1) || "only" } };
      }),
    });
    const rule = manifest("DestinationRule", host, {
      host,
      subsets: subsets.map((name) => ({ name, labels: { version: name } })),
    });
    return subsets.length === 0 ? [entry] : [entry, rule];
  });
}

function manifest(kind: string, name: string, spec: object): object {
  return { apiVersion: "networking.istio.io/v1", kind, metadata: { name, namespace: "default" }, spec };
}

function withoutAbsent(record: object): object {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}
