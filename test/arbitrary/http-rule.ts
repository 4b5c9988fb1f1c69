import * as fc from "fast-check";
import { headerChanges } from "./header-changes.ts";
import { httpMatches } from "./http-match.ts";
import { seldom, sometimes, withoutAbsent } from "./sometimes.ts";

/** One entry of `http`: conditions, and something to do. */
export function httpRules(): fc.Arbitrary<object> {
  return fc.oneof({ weight: 12, arbitrary: anyRules }, { weight: 1, arbitrary: prefixRedirects });
}

/** Only what matches a prefix can be sent to another one. */
const prefixRedirects = fc
  .record({
    prefix: fc.constantFrom("/a", "/a/", "/", "/A"),
    ignoreUriCase: sometimes(fc.boolean()),
    prefixRewrite: fc.constantFrom("/q", "/", "/q/"),
  })
  .map(({ prefix, ignoreUriCase, prefixRewrite }) => ({
    match: [withoutAbsent({ uri: { prefix }, ignoreUriCase })],
    redirect: { prefixRewrite },
  }));

/** The same, or one that hands its requests to one of the VirtualServices named. */
export function rootRules(delegates: readonly object[]): fc.Arbitrary<object> {
  const delegating = fc
    .record({ delegate: fc.constantFrom(...delegates), ...extras })
    .map((rule) => withoutAbsent(rule));
  return fc.oneof({ weight: 5, arbitrary: httpRules() }, { weight: 1, arbitrary: withMatches(delegating) });
}

function withMatches(actions: fc.Arbitrary<object>): fc.Arbitrary<object> {
  return fc
    .record({ name: sometimes(fc.constantFrom("r", "s")), match: fc.array(httpMatches(), { maxLength: 2 }), actions })
    .map(({ name, match, actions: action }) =>
      withoutAbsent({ name, ...(match.length === 0 ? {} : { match }), ...action }),
    );
}

const destination = fc.constantFrom<object>(
  { host: "u0", port: { number: 8080 } },
  { host: "u0" },
  { host: "u3.default.svc.cluster.local" },
  { host: "u1", subset: "blue" },
  { host: "u1.default.svc.cluster.local", subset: "green" },
  { host: "u2.default.svc.cluster.local", subset: "blue" },
  { host: "u4.default.svc.cluster.local" },
  { host: "u4" },
  { host: "k0.default.svc.cluster.local", port: { number: 80 } },
  { host: "u1", subset: "gone" },
  { host: "u2", subset: "empty" },
  { host: "nowhere" },
  { host: "u3", port: { number: 1 } },
);

const armHeaders = sometimes(headerChanges({ host: true }));

const shares = fc.constantFrom([100, 0], [0, 100], [50, 50], [3, 4], [1, 99]);

const split = fc.oneof(
  fc.tuple(destination, armHeaders).map(([only, headers]) => [withoutAbsent({ destination: only, headers })]),
  fc
    .tuple(fc.constantFrom("u1", "u2"), fc.constantFrom("green", "green", "gone"), shares, armHeaders, armHeaders)
    .map(([host, other, [left, right], ...headers]) => [
      withoutAbsent({ destination: { host, subset: "blue" }, weight: left, headers: headers[0] }),
      withoutAbsent({ destination: { host, subset: other }, weight: right, headers: headers[1] }),
    ]),
);

const rewrite = fc.constantFrom<object>(
  { uri: "/" },
  { uri: "/new" },
  { uri: "/new/", authority: "inner.org" },
  { authority: "inner.org" },
  { uriRegexRewrite: { match: "^/a/([^/]+)", rewrite: "/n/\\1" } },
  { uriRegexRewrite: { match: "b*$", rewrite: "-\\0e" } },
  { uriRegexRewrite: { match: "/", rewrite: "/-" } },
  { uriRegexRewrite: { match: "(?i)/A", rewrite: "/" } },
);

/** A tenth of a second would be felt with 20,000 requests. */
const delays = fc.constantFrom<object>(
  { fixedDelay: "2ms", percentage: { value: 100 } },
  { fixedDelay: "5s", percentage: { value: 0 } },
  { fixedDelay: "5s" },
);

const aborts = fc.constantFrom<object>(
  { httpStatus: 418, percentage: { value: 100 } },
  { httpStatus: 200, percentage: { value: 100 } },
  { httpStatus: 503, percentage: { value: 0 } },
  { httpStatus: 503 },
  { grpcStatus: "UNAVAILABLE", percentage: { value: 100 } },
  { grpcStatus: "NOT_FOUND", percentage: { value: 100 } },
);

const faults = fc
  .record({ delay: sometimes(delays), abort: sometimes(aborts) })
  .filter(({ delay, abort }) => (delay ?? abort) !== undefined)
  .map(withoutAbsent);

const corsPolicies = fc
  .record({
    allowOrigins: fc.constantFrom<object[]>(
      [{ exact: "https://here.org" }],
      [{ prefix: "https://" }, { exact: "null" }],
      [{ regex: "https?://.*\\.org" }],
      [{ exact: "*" }],
      [],
    ),
    allowMethods: sometimes(fc.constantFrom(["GET", "POST"], ["*"])),
    allowHeaders: sometimes(fc.constantFrom(["x-v"], ["x-v", "x-w"])),
    maxAge: sometimes(fc.constantFrom("1m", "24h")),
    allowCredentials: sometimes(fc.boolean()),
    unmatchedPreflights: sometimes(fc.constantFrom("FORWARD", "IGNORE")),
  })
  .map(withoutAbsent);

/** What a rule may have whatever it does. */
const extras = {
  fault: seldom(faults),
  corsPolicy: seldom(corsPolicies),
  timeout: sometimes(fc.constantFrom("10s", "1m30s")),
  retries: sometimes(fc.constantFrom<object>({ attempts: 0 }, { attempts: 2, retryOn: "5xx,reset,418" })),
};

const forward = fc
  .record({
    route: split,
    rewrite: sometimes(rewrite),
    headers: sometimes(headerChanges({ host: false })),
    host: sometimes(fc.constantFrom("host.org", "host.org:8080")),
    mirror: sometimes(fc.constantFrom<object>({ host: "u3" }, { host: "nowhere" }, { host: "u1", subset: "green" })),
    mirrorPercentage: sometimes(fc.constantFrom({ value: 0 }, { value: 50 }, { value: 100 })),
    ...extras,
  })
  .map(({ host, headers, rewrite: changed, ...rule }) => {
    // Istio lets a rule change the authority in one place only.
    const named = changed !== undefined && "authority" in changed ? undefined : host;
    const request = named === undefined ? {} : { request: { set: { Host: named } } };
    return withoutAbsent({
      ...rule,
      rewrite: changed,
      headers: headers ?? (named === undefined ? undefined : request),
    });
  });

const redirect = fc
  .record({
    uri: sometimes(fc.constantFrom("/moved", "/moved?k=1", "/")),
    authority: sometimes(fc.constantFrom("there.org", "there.org:8443")),
    scheme: sometimes(fc.constantFrom("https", "http")),
    port: sometimes(fc.constantFrom(80, 443, 8443)),
    derivePort: sometimes(fc.constantFrom("FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT")),
    redirectCode: fc.constantFrom(301, 302, 303, 307, 308),
  })
  .map(({ derivePort, port, ...others }) => ({ ...others, ...(derivePort === undefined ? { port } : { derivePort }) }))
  .filter((value) => Object.entries(value).some(([key, part]) => key !== "redirectCode" && part !== undefined))
  .chain((value) => answered({ redirect: withoutAbsent(value) }));

const direct = fc
  .tuple(fc.constantFrom(200, 203, 404, 418, 503), fc.nat(99))
  .chain(([status, number]) => answered({ directResponse: { status, body: { string: `direct ${number}` } } }));

/** What the proxy answers itself can have headers changed too, and an answer to preflights in front of it. */
function answered(action: object): fc.Arbitrary<object> {
  return fc
    .record({ headers: sometimes(headerChanges({ host: false })), corsPolicy: extras.corsPolicy })
    .map((parts) => withoutAbsent({ ...action, ...parts }));
}

const anyRules = withMatches(
  fc.oneof({ weight: 4, arbitrary: forward }, { weight: 1, arbitrary: redirect }, { weight: 1, arbitrary: direct }),
);
