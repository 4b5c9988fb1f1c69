import { expect, test } from "vitest";
import { limitAddresses } from "../local/limit-addresses.ts";
import { startRelease } from "./start-release.ts";

const metadata = { namespace: "shop", name: "to-green", uid: "u" };

function start(spec: object) {
  const addresses = limitAddresses({ allowed: ["127.0.0.1:9090"] });
  return startRelease(
    { apiVersion: "kirikae.dev/v1alpha1", kind: "Release", metadata, spec },
    {
      releases: {
        plan: () => {
          throw new Error("it is planned");
        },
        start: () => expect.unreachable(),
      },
      allows: {
        commands: false,
        secrets: false,
        otherNamespaces: false,
        checkAddress: (url) => void addresses(url),
      },
      writtenBy: () => [],
    },
  );
}

test.each([
  ["a judge", { checks: [{ judges: [{ http: { url: "http://169.254.169.254/latest/meta-data" } }] }] }],
  ["a Prometheus", { checks: [{ judges: [{ prometheus: { address: "http://[::1]:15000", query: "up" } }] }] }],
  ["a notification", { notifications: [{ webhook: { url: "http://127.0.0.1:8081/hook" } }] }],
])("%s of the controller's own machine is refused before anything begins", (_what, spec) => {
  expect(start(spec)).toMatchObject({
    kind: "refused",
    code: "KIR4076",
    message: expect.stringContaining("--allow-judge-host"),
  });
});

test("one that is elsewhere, or was named, is planned", () => {
  const judges = ["http://prometheus.monitoring:9090", "http://127.0.0.1:9090"].map((url) => ({ http: { url } }));
  expect(() => start({ checks: [{ judges }] })).toThrow("it is planned");
});

function nest(inner: string): object {
  const depth = 9_000;
  return JSON.parse(`${'{"a":'.repeat(depth)}${inner}${"}".repeat(depth)}`);
}

test("one that nests as deeply as the API server takes it is read to its end", () => {
  expect(() => start(nest("1"))).toThrow("it is planned");
  expect(start(nest('{"url":"http://127.0.0.1:8081/"}'))).toMatchObject({ kind: "refused", code: "KIR4076" });
  expect(start(nest('{"fromFile":"/token"}'))).toMatchObject({ kind: "refused", code: "KIR4073" });
});
