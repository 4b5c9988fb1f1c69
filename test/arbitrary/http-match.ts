import * as fc from "fast-check";
import { sometimes, withoutAbsent } from "./sometimes.ts";

/** Every kind of condition of `http[].match`, over values that the requests of `simulated-request.ts` come close to. */
export function httpMatches(): fc.Arbitrary<object> {
  return fc
    .record({
      name: sometimes(fc.constantFrom("m", "other")),
      uri: fc.option(uri, { nil: undefined, freq: 4 }),
      ignoreUriCase: sometimes(fc.boolean()),
      headers: sometimes(headerMatches),
      withoutHeaders: sometimes(headerMatches),
      queryParams: sometimes(queryMatches),
      method: sometimes(textMatch(["GET", "POST", "OPTIONS"], ["GET|DELETE", "[A-Z]+"])),
      authority: sometimes(textMatch(["a.x.com", "b.x.com", "a.", "k0"], [".*:80", "[ab].x.com", "(?i)A\\.X\\.com"])),
      scheme: sometimes(fc.constantFrom({ exact: "http" }, { exact: "https" }, { regex: "https?" })),
      port: sometimes(fc.constantFrom(80, 81, 443, 8080)),
      gateways: sometimes(fc.constantFrom(["gw0"], ["default/gw1"], ["mesh"])),
      sourceNamespace: sometimes(fc.constantFrom("istio-system", "default")),
      sourceLabels: sometimes(fc.constantFrom<object>({ istio: "ingressgateway" }, { app: "client" }, {})),
    })
    .map(({ port, gateways, sourceNamespace, sourceLabels, ...match }) =>
      // What is decided before any request comes may not hide too many of the rules.
      withoutAbsent({
        ...match,
        ...narrowest([{ port }, { gateways }, { sourceNamespace }, { sourceLabels }]),
      }),
    );
}

function narrowest(conditions: readonly object[]): object | undefined {
  return conditions.find((condition) => Object.values(condition).some((value) => value !== undefined));
}

function textMatch(values: readonly string[], regexes: readonly string[]): fc.Arbitrary<object> {
  return fc.oneof(
    fc.constantFrom(...values).map((exact) => ({ exact })),
    fc.constantFrom(...values).map((prefix) => ({ prefix })),
    fc.constantFrom(...regexes).map((regex) => ({ regex })),
  );
}

const uri = textMatch(
  ["/", "/a", "/a/", "/A", "/a/b", "/b", "/ab", "/~a", "/a%7Cb", "*"],
  [".*", "/a/[0-9]+", "/a.*", "/[^/]*", "(?i)/A/.*", "/a|/b", "/.*\\.d", "(?s)/.*", "/\\w+"],
);
const headerValue = fc.oneof(textMatch(["green", "1", "gr", "a b"], ["gre+n.*", "[0-9]", "*", ".*"]), fc.constant({}));
const headerMatches = fc.dictionary(fc.constantFrom("x-v", "X-W", "x-forwarded-proto", "origin", "host"), headerValue, {
  maxKeys: 2,
});
const queryMatches = fc.dictionary(
  fc.constantFrom("p", "q", "P", "a%62"),
  fc.oneof(textMatch(["1", "12", "%31"], ["1.*", "[0-9]+", ".*"]), fc.constant({})),
  { maxKeys: 2 },
);
