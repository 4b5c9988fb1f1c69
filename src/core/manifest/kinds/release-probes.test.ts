import { expect, test } from "vitest";
import type { ReleaseSpec } from "../release.ts";
import { parseManifests } from "../parse-manifests.ts";

function decode(probes: string): { readonly spec: ReleaseSpec | undefined; readonly messages: readonly string[] } {
  const spec = `{routes: [{virtualService: web}], to: green, strategy: {steps: [{switch: {}}]}, probes: ${probes}}`;
  const text = `{apiVersion: kirikae.dev/v1alpha1, kind: Release, metadata: {name: r}, spec: ${spec}}`;
  const { manifests, diagnostics } = parseManifests([{ path: "r.yaml", text }], { defaultNamespace: "shop" });
  const [release] = manifests;
  return {
    spec: release?.kind === "Release" ? release.spec : undefined,
    messages: diagnostics.map(({ message }) => message),
  };
}

test("probes ask what is named at the pace that is named, or what the rules say", () => {
  expect(decode("{}").spec?.probes).toEqual({ perSecond: 10, requests: [] });
  const { spec } = decode(
    "{perSecond: 0.5, requests: [{host: a.com}, {host: 'a.com:8080', path: /x?y=1, method: HEAD}]}",
  );
  expect(spec?.probes).toEqual({
    perSecond: 0.5,
    requests: [
      { host: "a.com", path: "/", method: "GET" },
      { host: "a.com:8080", path: "/x?y=1", method: "HEAD" },
    ],
  });
});

test.for([
  ["{perSecond: 0}", "must be above 0 and at most 1000, but is 0"],
  ["{perSecond: 5000}", "must be above 0 and at most 1000, but is 5000"],
  ["{requests: [{host: '*.a.com'}]}", 'must be the name of a host, but is "*.a.com"'],
  ["{requests: [{host: a.com, path: x}]}", "must begin with a slash"],
  ['{requests: [{host: a.com, path: "/x\\r\\ny: z"}]}', "printable ASCII"],
  ["{requests: [{host: a.com, method: POST}]}", "which is none of GET, HEAD"],
] as const)("%s is refused", ([probes, complaint]) => {
  const { spec, messages } = decode(probes);
  expect(spec).toBeUndefined();
  expect(messages.join("\n")).toContain(complaint);
});
