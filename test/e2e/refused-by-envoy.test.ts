import { afterAll, beforeAll, expect, test } from "vitest";
import { Judge } from "./refusal-fixture.ts";

const base = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gateway}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
---
apiVersion: v1
kind: Service
metadata: {name: app}
spec: {selector: {app: app}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: other}
spec: {selector: {app: other}, ports: [{name: http, port: 80}]}
`;

/** A field in flow style, deep inside one of the manifests above; strings are JSON, which is YAML too. */
const rule = (fields: string, host = "a.test", name = "app"): string => `---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ${name}}
spec: {hosts: ["${host}"], gateways: [gateway], http: [{${fields}}]}
`;
const to = "route: [{destination: {host: app}}]";
const match = (condition: string): string => rule(`match: [{${condition}}], ${to}`);
const header = (value: string, name = "x-a"): string =>
  rule(`headers: {request: {set: {${JSON.stringify(name)}: ${JSON.stringify(value)}}}}, ${to}`);
const answer = (fields: string): string => rule(`directResponse: {${fields}}`);
const retries = (fields: string): string => rule(`retries: {attempts: 2, ${fields}}, ${to}`);
const rewrite = (pattern: string, text: string): string =>
  rule(`rewrite: {uriRegexRewrite: {match: ${JSON.stringify(pattern)}, rewrite: ${JSON.stringify(text)}}}, ${to}`);
const policy = (fields: string): string =>
  `${rule(to)}---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: app}
spec: {host: app, trafficPolicy: {${fields}}}
`;
const hash = (fields: string): string => policy(`loadBalancer: {consistentHash: {httpHeaderName: x-user, ${fields}}}`);
const hashKey = (fields: string): string => policy(`loadBalancer: {consistentHash: {${fields}}}`);
const entry = (fields: string): string => `---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: entry}
spec: {hosts: [entry.test], ports: [{number: 80, name: http, protocol: HTTP}], ${fields}}
${rule("route: [{destination: {host: entry.test}}]")}`;
const text = JSON.stringify;

/** By what is odd in it: the manifest, and whether Istio's rules, Envoy's or our own say no before a proxy does. */
const manifests: Readonly<Record<string, readonly [expected: "refused" | "accepted", yaml: string]>> = {
  "an ordinary rule": ["accepted", rule(to)],
  "status 600": ["refused", answer("status: 600")],
  "status 599": ["accepted", answer("status: 599")],
  "status 199": ["refused", answer("status: 199")],
  "a body of 1 MiB": ["accepted", answer(`status: 200, body: {string: ${text("x".repeat(1024 * 1024))}}`)],
  "a body above 1 MiB": ["refused", answer(`status: 200, body: {string: ${text("x".repeat(1024 * 1024 + 1))}}`)],
  "an unknown variable": ["refused", header("%BOGUS%")],
  "a variable in lower case": ["refused", header("%protocol%")],
  "percent signs around a blank": ["refused", header("50% of 80% x")],
  "a percent sign alone": ["refused", header("50%")],
  "percent signs, escaped": ["accepted", header("50%% and 100%%")],
  "a known variable": ["accepted", header("%PROTOCOL%")],
  "a variable that needs an argument": ["refused", header("%REQ%")],
  "a variable with its argument": ["accepted", header("%REQ(x-user?x-other):20%")],
  "an argument too many": ["refused", header("%PROTOCOL(x)%")],
  "a length where none may be": ["refused", header("%PROTOCOL:3%")],
  "a time format": ["accepted", header("%START_TIME(%s.%3f)%")],
  "a time format with an odd number of percent signs, which Istio refuses": [
    "refused",
    header("%START_TIME(%Y-%m-%d)%"),
  ],
  "an unfinished variable": ["refused", header("%REQ(x-user% and %PROTOCOL%")],
  "a variable in an answer": ["refused", rule(`headers: {response: {add: {x-a: "%NOPE(1)%"}}}, ${to}`)],
  "a variable for one destination": [
    "refused",
    rule(
      'route: [{destination: {host: app}, weight: 1, headers: {request: {add: {x-a: "%NOPE%"}}}}, {destination: {host: other}, weight: 1}]',
    ),
  ],
  "an empty header value": ["accepted", header("")],
  "a header value beyond 16 KiB": ["refused", header("x".repeat(16_385))],
  "a header value with a line break": ["refused", header("a\nb")],
  "a header name with a blank": ["refused", header("x", "bad name")],
  "an empty header name": ["refused", header("x", "")],
  "a header name beyond 16 KiB": ["refused", header("x", "x".repeat(16_385))],
  "odd but legal header names": ["accepted", header("x", "!#$&'*+.^_`|~")],
  "the header :path": ["refused", header("x", ":path")],
  "1001 header changes": [
    "refused",
    rule(
      `headers: {request: {set: {${Array.from({ length: 1001 }, (_, index) => `x-${index}: "1"`).join(", ")}}}}, ${to}`,
    ),
  ],
  "an empty name to remove": ["refused", rule(`headers: {request: {remove: [""]}}, ${to}`)],
  "a reference to a group that is not there": ["refused", rewrite("/x", "\\9")],
  "a reference to a group that is there": ["accepted", rewrite("/(x)/(y)", "\\2\\1\\0")],
  "an unknown escape": ["refused", rewrite("/x", "\\n")],
  "a backslash at the end": ["refused", rewrite("/x", "/y\\")],
  "a line break in a substitution": ["refused", rewrite("/x", "a\nb")],
  "an empty substitution": ["refused", rewrite("/x", "")],
  "a line break in a rewritten path": ["refused", rule(`rewrite: {uri: "/a\\nb"}, ${to}`)],
  "a line break in a rewritten authority": ["refused", rule(`rewrite: {authority: "a\\nb"}, ${to}`)],
  "a line break in a redirect": ["refused", rule('redirect: {uri: "/a\\r\\nb"}')],
  "a line break in a redirect's host": ["refused", rule('redirect: {authority: "a\\nb"}')],
  "a zero byte in a redirect's prefix": [
    "refused",
    rule('match: [{uri: {prefix: /}}], redirect: {prefixRewrite: "/a\\0b"}'),
  ],
  "a port of a redirect": ["accepted", rule("redirect: {authority: a.test, port: 65535}")],
  "port 0 of a redirect": ["accepted", rule("redirect: {authority: a.test, port: 0}")],
  "a regex that is not RE2": ["refused", match('uri: {regex: "/(?=a)"}')],
  "a regex with a large repetition": ["refused", match('uri: {regex: "/a{1001}"}')],
  "a regex with nested repetitions": ["refused", match('uri: {regex: "/((a{100}){100}){8}"}')],
  "a regex of a few hundred states": ["accepted", match('uri: {regex: "/([a-z]+|[0-9]{3}){100}"}')],
  "a regex of some ten thousand states": ["accepted", match('uri: {regex: "/([a-z]{10}){90}"}')],
  "classes of several bytes, repeated": ["accepted", match('uri: {regex: "/(\\\\pL{100}\\\\W{10}){9}"}')],
  "a regex too large for memory": ["refused", match(`uri: {regex: "/(${"[^a]b".repeat(150)}){1000}"}`)],
  "a large regex": ["accepted", match(`uri: {regex: "/(${"\\\\W".repeat(14)}){1000}"}`)],
  "a wide escape": ["refused", match('uri: {regex: "/\\\\x{100}"}')],
  "a narrow escape": ["accepted", match('uri: {regex: "/\\\\x{7e}"}')],
  "a large rewrite pattern": ["refused", rewrite("((a{100}){100}){8}", "/")],
  "a rewrite pattern of a few hundred states": ["accepted", rewrite("/([a-z]+|[0-9]{3}){100}", "/")],
  "an empty header name to match": ["refused", match('headers: {"": {exact: a}}')],
  "an empty query parameter": ["refused", match('queryParams: {"": {exact: a}}')],
  "a query parameter beyond 1024 bytes": ["refused", match(`queryParams: {${"x".repeat(1025)}: {exact: a}}`)],
  "an empty value to match": ["accepted", match('headers: {x-a: {exact: ""}}')],
  "an empty path prefix": ["accepted", match('uri: {prefix: ""}')],
  "an empty path": ["accepted", match('uri: {exact: ""}')],
  "a path with a query": ["accepted", match('uri: {exact: "/a?b#c"}')],
  "a line break in a path": ["accepted", match('uri: {exact: "/a\\nb"}')],
  "an unknown retry condition": ["refused", retries("retryOn: bogus-token")],
  "retry conditions and status codes": ["accepted", retries('retryOn: "5xx,503,connect-failure,reset"')],
  "a retry condition after a space": ["refused", retries('retryOn: "5xx, reset"')],
  "a time per try below 1 ms": ["refused", retries("perTryTimeout: 0.1ms")],
  "a long time per try": ["accepted", retries("perTryTimeout: 2562047h")],
  "a time per try beyond all clocks": ["refused", retries("perTryTimeout: 9999999999999h")],
  "a long backoff": ["accepted", retries("backoff: 1000h")],
  "the longest backoff": ["accepted", retries("backoff: 2562047h")],
  "attempts beyond 32 bits": ["refused", rule(`retries: {attempts: 4294967296}, ${to}`)],
  attempts: ["accepted", rule(`retries: {attempts: 2147483647}, ${to}`)],
  "a timeout beyond all clocks": ["refused", rule(`timeout: 99999999999h, ${to}`)],
  "a long timeout": ["accepted", rule(`timeout: 2562047h, ${to}`)],
  "a mirror's percentage": ["accepted", rule(`mirror: {host: other}, mirrorPercentage: {value: 0.0001}, ${to}`)],
  "a percentage above 100": ["refused", rule(`mirror: {host: other}, mirrorPercentage: {value: 100.1}, ${to}`)],
  "weights that add up to too much": [
    "refused",
    rule(
      "route: [{destination: {host: app}, weight: 2147483647}, {destination: {host: other}, weight: 2147483647}, {destination: {host: other, subset: a}, weight: 2}]",
    ),
  ],
  "a weight beyond 32 bits": [
    "refused",
    rule("route: [{destination: {host: app}, weight: 4294967296}, {destination: {host: other}, weight: 1}]"),
  ],
  "the largest weights": [
    "accepted",
    rule("route: [{destination: {host: app}, weight: 2147483647}, {destination: {host: other}, weight: 2147483647}]"),
  ],
  "destination port 0": ["refused", rule("route: [{destination: {host: app, port: {number: 0}}}]")],
  "a ring of 8 Mi": ["accepted", hash("ringHash: {minimumRingSize: 8388608}")],
  "a ring above 8 Mi": ["refused", hash("ringHash: {minimumRingSize: 8388609}")],
  "a ring above 8 Mi, the old way": ["refused", hash("minimumRingSize: 8388609")],
  "a ring of 0": ["accepted", hash("ringHash: {minimumRingSize: 0}")],
  "a table that is no prime": ["refused", hash("maglev: {tableSize: 65536}")],
  "a table above 5000011": ["refused", hash("maglev: {tableSize: 5000077}")],
  "the largest table": ["accepted", hash("maglev: {tableSize: 4999999}")],
  "a hash of a header with a line break": ["refused", hashKey('httpHeaderName: "a\\nb"')],
  "a hash of an empty header": ["refused", hashKey('httpHeaderName: ""')],
  "a hash of an odd cookie": ["accepted", hashKey('httpCookie: {name: "a b", path: "/x y", ttl: 0s}')],
  "a cookie beyond all clocks": ["refused", hashKey("httpCookie: {name: a, ttl: 99999999999h}")],
  "a hash of a query parameter": ["accepted", hashKey('httpQueryParameterName: "a\\nb"')],
  "connections beyond 32 bits": ["refused", policy("connectionPool: {tcp: {maxConnections: 4294967296}}")],
  "negative connections": ["refused", policy("connectionPool: {tcp: {maxConnections: -1}}")],
  "every limit at its largest": [
    "accepted",
    policy(
      "connectionPool: {tcp: {maxConnections: 2147483647}, http: {http1MaxPendingRequests: 2147483647, http2MaxRequests: 2147483647, maxRequestsPerConnection: 2147483647, maxRetries: 2147483647, maxConcurrentStreams: 2147483647, h2UpgradePolicy: UPGRADE}}",
    ),
  ],
  "a connect timeout beyond all clocks": ["refused", policy("connectionPool: {tcp: {connectTimeout: 99999999999h}}")],
  "long times of a pool": [
    "accepted",
    policy(
      "connectionPool: {tcp: {connectTimeout: 2562047h, maxConnectionDuration: 2562047h}, http: {idleTimeout: 2562047h}}",
    ),
  ],
  "an ejection above 100 %": ["refused", policy("outlierDetection: {maxEjectionPercent: 101}")],
  "an ejection by more than 32 bits": ["refused", policy("outlierDetection: {consecutive5xxErrors: 4294967296}")],
  "the largest ejection": [
    "accepted",
    policy(
      "outlierDetection: {consecutive5xxErrors: 4294967295, interval: 2562047h, baseEjectionTime: 2562047h, maxEjectionPercent: 100, minHealthPercent: 100}",
    ),
  ],
  "a name that is no host name": ["refused", entry("resolution: DNS, endpoints: [{address: not_a_host}]")],
  "an empty address": ["refused", entry('resolution: DNS, endpoints: [{address: ""}]')],
  "a name": ["accepted", entry("resolution: DNS, endpoints: [{address: nowhere.invalid}]")],
  "an IP address by DNS": ["accepted", entry("resolution: DNS, endpoints: [{address: 127.0.0.1}]")],
  "an IPv4 address with leading zeros": [
    "refused",
    entry("resolution: STATIC, endpoints: [{address: 127.000.000.001}]"),
  ],
  "an IPv6 address": ["accepted", entry('resolution: STATIC, endpoints: [{address: "::1"}]')],
  "an IPv6 address with an IPv4 tail": [
    "accepted",
    entry('resolution: STATIC, endpoints: [{address: "::ffff:127.0.0.1"}]'),
  ],
  "port 0 of an endpoint": [
    "refused",
    entry("resolution: STATIC, endpoints: [{address: 127.0.0.1, ports: {http: 0}}]"),
  ],
  "a weight of an endpoint beyond 32 bits": [
    "refused",
    entry("resolution: STATIC, endpoints: [{address: 127.0.0.1, weight: 4294967296}]"),
  ],
  "weights of endpoints that add up to too much": [
    "refused",
    entry("resolution: STATIC, endpoints: [{address: 127.0.0.1, weight: 4294967295}, {address: 127.0.0.2, weight: 1}]"),
  ],
  "the same, by DNS": [
    "refused",
    entry("resolution: DNS, endpoints: [{address: 127.0.0.1, weight: 4294967295}, {address: 127.0.0.2, weight: 1}]"),
  ],
  "an endpoint twice": [
    "accepted",
    entry("resolution: STATIC, endpoints: [{address: 127.0.0.1}, {address: 127.0.0.1}]"),
  ],
  "a wildcard before a part": ["accepted", rule(to, "*foo.com")],
  "a wildcard inside a part": ["refused", rule(to, "f*o.com")],
  "a wildcard at the end": ["refused", rule(to, "foo.*")],
  "a host with an underscore": ["refused", rule(to, "a_b.test")],
  "a host with a trailing dot": ["accepted", `${rule(to, "b.test.")}${rule(to, "b.test", "second")}`],
  "hosts that differ in case": ["accepted", `${rule(to, "b.test")}${rule(to, "B.TEST", "second")}`],
  "one host in two VirtualServices": ["accepted", `${rule(to, "b.test")}${rule(to, "b.test", "second")}`],
  "an IPv6 host": ["accepted", rule(to, "::1")],
  "an odd name of a rule": ["accepted", rule(`name: "a\\nb/ü%", ${to}`)],
  "a long name of a rule": ["accepted", rule(`name: "${"x".repeat(5000)}", ${to}`)],
};

let judge: Judge;

beforeAll(async () => {
  judge = await Judge.open(base + rule(to));
});

afterAll(async () => {
  await judge[Symbol.asyncDispose]();
});

test.each(Object.entries(manifests))("%s: no refusal that check does not foresee", async (_name, [expected, yaml]) => {
  const { errors, report } = await judge.judge(base + yaml);
  if (expected === "refused") {
    expect(errors.map(({ message }) => message)).not.toEqual([]);
    expect(errors[0]?.at).toMatchObject({ file: "mesh.yaml" });
    return;
  }
  expect(errors).toEqual([]);
  expect(report).toMatchObject({ kind: "applied" });
});
