import * as fc from "fast-check";
import type { SimulatedRequest } from "../../src/core/routes/simulation.ts";
import { headerChanges } from "./header-changes.ts";

/** Every place that a generated rule can send to; whoever runs the case gives each an address of its own. */
export const upstreams = ["u0", "u1-blue", "u1-green", "u2-blue", "u2-green", "u3"] as const;
export type Upstream = (typeof upstreams)[number];

/** A small mesh and requests that are likely to meet the edges of its rules. */
export interface RouteCase {
  /** Manifests; listeners have the ports 80 and 81, or one of them. */
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
 * Timeouts, retries and mirrors are there because they must not change any answer; left out are only headers that a
 * proxy sets itself.
 * Bodies of direct responses begin with `direct`, so that a 404 that a rule gives differs from a miss.
 */
export function routeCases(options: RouteCaseOptions): fc.Arbitrary<RouteCase> {
  return fc
    .record({
      gateways: fc.array(gatewaySpec, { minLength: 1, maxLength: 2 }),
      rules: fc.array(virtualServiceSpec, { minLength: 1, maxLength: 5 }),
      requests: fc.array(simulatedRequest, { minLength: options.requests, maxLength: options.requests }),
    })
    .map(({ gateways, rules, requests }) => ({
      requests,
      yaml: [
        ...gateways.map((spec, index) => manifest("Gateway", `gw${index}`, spec)),
        ...rules.map((spec, index) => manifest("VirtualService", `vs${index}`, spec)),
        ...services(options),
      ]
        .map((object) => JSON.stringify(object))
        .join("\n---\n"),
    }));
}

/** A request whose parts come from the same small pools as the rules, with variations that normalization removes. */
const simulatedRequest: fc.Arbitrary<SimulatedRequest> = fc.record({
  port: fc.constantFrom(80, 80, 80, 81),
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
    .chain(([path, query]) => prefixed(path + query)),
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

/** Once in a while the whole URL, with a host of its own. */
function prefixed(target: string): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 8, arbitrary: fc.constant(target) },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom("http://a.x.com", "http://b.x.com:80", "HTTP://A.x.com", "http://me@x.com", "https://a.x.com")
        .map((origin) => origin + target),
    },
    { weight: 1, arbitrary: fc.constantFrom("http://a.x.com", "ftp://a.x.com/a", "http:///a", "http://a.x.com:/a") },
  );
}

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
  { host: "u1", subset: "gone" },
  { host: "nowhere" },
);

const armHeaders = sometimes(headerChanges({ host: true }));

const shares = fc.constantFrom([100, 0], [0, 100], [50, 50], [3, 4], [1, 99]);

const forward = fc
  .record({
    route: fc.oneof(
      fc.tuple(destination, armHeaders).map(([only, headers]) => [withoutAbsent({ destination: only, headers })]),
      fc
        .tuple(fc.constantFrom("u1", "u2"), fc.constantFrom("green", "green", "gone"), shares, armHeaders, armHeaders)
        .map(([host, other, [left, right], ...headers]) => [
          withoutAbsent({ destination: { host, subset: "blue" }, weight: left, headers: headers[0] }),
          withoutAbsent({ destination: { host, subset: other }, weight: right, headers: headers[1] }),
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
    headers: sometimes(headerChanges({ host: false })),
    host: sometimes(fc.constantFrom("host.org", "host.org:8080")),
    timeout: sometimes(fc.constantFrom("10s", "1m30s")),
    retries: sometimes(fc.constantFrom<object>({ attempts: 0 }, { attempts: 2, retryOn: "5xx,reset,418" })),
    mirror: sometimes(fc.constantFrom<object>({ host: "u3" }, { host: "nowhere" }, { host: "u1", subset: "green" })),
    mirrorPercentage: sometimes(fc.constantFrom({ value: 0 }, { value: 50 }, { value: 100 })),
  })
  .map(({ host, headers, rewrite, ...rule }) => {
    // Istio lets a rule change the authority in one place only.
    const named = rewrite !== undefined && "authority" in rewrite ? undefined : host;
    const request = named === undefined ? {} : { request: { set: { Host: named } } };
    return withoutAbsent({ ...rule, rewrite, headers: headers ?? (named === undefined ? undefined : request) });
  });

const redirect = fc
  .record({
    uri: sometimes(fc.constantFrom("/moved", "/moved?k=1", "/")),
    authority: sometimes(fc.constantFrom("there.org", "there.org:8443")),
    scheme: sometimes(fc.constantFrom("https", "http")),
    port: sometimes(fc.constantFrom(80, 443, 8443)),
    redirectCode: fc.constantFrom(301, 302, 303, 307, 308),
  })
  .filter(({ uri: path, authority, scheme, port }) => (path ?? authority ?? scheme ?? port) !== undefined)
  .chain((value) => answered({ redirect: withoutAbsent(value) }));

const direct = fc
  .tuple(fc.constantFrom(200, 203, 404, 418, 503), fc.nat(99))
  .chain(([status, number]) => answered({ directResponse: { status, body: { string: `direct ${number}` } } }));

/** What the proxy answers itself can have headers changed too. */
function answered(action: object): fc.Arbitrary<object> {
  return sometimes(headerChanges({ host: false })).map((headers) => withoutAbsent({ ...action, headers }));
}

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

const server = fc
  .record({ hosts: gatewayHosts, isRedirecting: fc.constantFrom(false, false, false, true) })
  .map(({ hosts, isRedirecting }) => ({ hosts, ...(isRedirecting ? { tls: { httpsRedirect: true } } : {}) }));

const gatewaySpec = fc.record({ first: server, second: sometimes(server) }).map(({ first, second }) => ({
  selector: { istio: "ingressgateway" },
  servers: [first, second].flatMap((each, index) =>
    each === undefined ? [] : [{ port: { number: 80 + index, name: `http-${index}`, protocol: "HTTP" }, ...each }],
  ),
}));

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
