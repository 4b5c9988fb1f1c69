import * as fc from "fast-check";
import type { AskedConnection } from "../../src/cli/explain-connection.ts";
import type { SimulatedRequest } from "../../src/core/routes/simulation.ts";
import { callerNames, writtenPort } from "./mesh-services.ts";
import { sometimes } from "./sometimes.ts";

/** Requests from the same small pools as the rules, with variations that normalization removes. */
export function simulatedRequests(): fc.Arbitrary<SimulatedRequest> {
  return fc.oneof(
    { weight: 6, arbitrary: plainRequests },
    { weight: 2, arbitrary: tlsRequests },
    { weight: 3, arbitrary: callerRequests },
  );
}

/** Connections whose bytes are not read, from outside and from inside the mesh. */
export function askedConnections(): fc.Arbitrary<AskedConnection> {
  return fc.oneof(
    fc.record({
      from: fc.constant(undefined),
      host: fc.constant(""),
      port: fc.constantFrom(443, 443, 444, 9000, 80),
      isTls: fc.constantFrom(true, true, true, false),
      serverName: sometimesNamed,
    }),
    fc.record({
      from: fc.constantFrom(...callerNames),
      host: fc.constantFrom("t0.default.svc.cluster.local", "k0.default.svc.cluster.local", "k0", "t0"),
      port: fc.constantFrom(9000, 9000, 80),
      isTls: fc.constantFrom(false, false, true),
      serverName: fc.constantFrom("a.x.com", "t0.default.svc.cluster.local", undefined),
    }),
  );
}

const serverNames = fc.constantFrom("a.x.com", "A.X.com", "b.x.com", "c.b.x.com", "d.a.x.com", "x.com", "other.org");
const sometimesNamed = fc.option(serverNames, { nil: undefined, freq: 5 });

const authorities = fc.constantFrom(
  "a.x.com",
  "a.x.com",
  "b.x.com",
  "c.b.x.com",
  "x.com",
  "A.X.com",
  "a.x.com:80",
  "a.x.com:8080",
  "b.x.com",
  "B.x.Com:81",
  "c.b.x.com",
  "d.a.x.com",
  "x.com",
  "other.org",
  "127.0.0.1",
  "[::1]:80",
  "a.x.com.",
);

const paths = [
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
  "//a/b",
  "/a%5Cb",
  "/a/..;/b",
];

/** Of these most are refused. */
const oddPaths = ["/a%00", "/%", "/a#b", "/a b", "/\u00fc", "/a%2"];

const queries = [
  "",
  "",
  "",
  "?",
  "?p=1",
  "?p=2&p=1",
  "?p",
  "?q=1&p=12",
  "?p=%31",
  "?a/../b",
  "?P=1",
  "?p=1=2",
  "?&p=1",
  "?p=1;q=2",
];

const pathsWithQueries = fc
  .tuple(
    fc.oneof(
      { weight: 20, arbitrary: fc.constantFrom(...paths) },
      { weight: 1, arbitrary: fc.constantFrom(...oddPaths) },
    ),
    fc.constantFrom(...queries),
  )
  .map(([path, query]) => path + query);

/** Once in a while the whole URL, with a host of its own, or what is no path at all. */
const gatewayTargets = pathsWithQueries.chain((target) =>
  fc.oneof(
    { weight: 16, arbitrary: fc.constant(target) },
    {
      weight: 2,
      arbitrary: fc
        .constantFrom("http://a.x.com", "http://b.x.com:80", "HTTP://A.x.com", "http://me@x.com", "https://a.x.com")
        .map((origin) => origin + target),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        "http://a.x.com",
        "ftp://a.x.com/a",
        "http:///a",
        "http://a.x.com:/a",
        "*",
        "a",
        "a.x.com:80",
        "?p=1",
        "http://a.x.com?p=1",
      ),
    },
  ),
);

/** Of some names a proxy makes one value before any rule looks at them. */
const ordinaryHeaders = fc.uniqueArray(
  fc.constantFrom(
    ["x-v", "green"],
    ["X-V", "blue"],
    ["x-v", "greenish"],
    ["x-v", "1"],
    ["x-w", "1"],
    ["x-w", "a b"],
    ["x-v", "GREEN"],
    ["x-key", "one"],
    ["x-key", "two"],
    ["x-forwarded-proto", "https"],
    ["content-type", "application/grpc"],
    ["content-type", "application/grpc+proto"],
    ["origin", "https://here.org"],
    ["origin", "null"],
  ) as fc.Arbitrary<readonly [string, string]>,
  {
    maxLength: 3,
    selector: ([name, value]) => (/^x-[vVw]$/.test(name) ? `${name} ${value}` : name),
  },
);

const ordinary = fc.record({
  method: fc.constantFrom("GET", "GET", "POST", "DELETE", "OPTIONS", "PUT", "HEAD"),
  headers: ordinaryHeaders,
});

/** What a browser asks before it sends a request to another origin. */
const preflight = fc
  .record({
    origin: fc.constantFrom("https://here.org", "http://a.org", "null", ""),
    asked: fc.constantFrom("GET", "PUT", ""),
    headers: ordinaryHeaders,
  })
  .map(({ origin, asked, headers }) => ({
    method: "OPTIONS",
    headers: [
      ...headers.filter(([name]) => name !== "origin"),
      ["origin", origin] as const,
      ["access-control-request-method", asked] as const,
    ],
  }));

const messages = fc.oneof({ weight: 6, arbitrary: ordinary }, { weight: 1, arbitrary: preflight });

const plainRequests: fc.Arbitrary<SimulatedRequest> = fc
  .record({
    port: fc.constantFrom(80, 80, 80, 80, 80, 80, 81, 81, 443, 9000),
    authority: authorities,
    target: gatewayTargets,
    message: messages,
  })
  .map(({ message, ...request }) => ({ ...request, ...message, scheme: "http" }));

const tlsRequests: fc.Arbitrary<SimulatedRequest> = fc
  .record({
    port: fc.constantFrom(443, 443, 443, 444),
    sni: sometimes(fc.oneof(serverNames, fc.constant(""))),
    authority: authorities,
    target: gatewayTargets,
    message: messages,
  })
  .map(({ message, sni, ...request }) => ({
    ...request,
    ...message,
    ...(sni === undefined ? {} : { sni }),
    scheme: "https",
  }));

const calledHosts = [
  "k0",
  "K0",
  "k0.default",
  "k0.default.svc",
  "k0.default.svc.cluster.local",
  "u0.default.svc.cluster.local",
  "u1.default.svc.cluster.local",
  "u4.default.svc.cluster.local",
  "u2.default.svc.cluster.local",
  "u0",
  "a.x.com",
  "d.a.x.com",
  "x.com",
];

/** What workloads send to any HTTP port, in the form of an HTTP proxy's client too; a host that nobody knows is one that answers. */
const callerRequests: fc.Arbitrary<SimulatedRequest> = fc
  .record({
    from: fc.constantFrom(...callerNames),
    host: fc.oneof(
      { weight: 12, arbitrary: fc.constantFrom(...calledHosts) },
      { weight: 1, arbitrary: fc.constant("127.0.0.1") },
    ),
    port: fc.constantFrom(80, 80, 8080, 9000),
    form: fc.constantFrom("host", "host", "host and port", "url"),
    path: pathsWithQueries,
    message: messages,
  })
  .map(({ from, host, port: asked, form, path, message }) => {
    const port = host === "127.0.0.1" ? writtenPort("u3") : asked;
    const authority = form === "host" ? host : `${host}:${port}`;
    return {
      ...message,
      from,
      port,
      scheme: "http",
      authority,
      target: form === "url" ? `http://${authority}${path}` : path,
    };
  });
