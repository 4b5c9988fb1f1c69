import { describe, expect, test } from "vitest";

import { parseManifests } from "../manifest/parse-manifests.ts";
import { buildMesh } from "./build-mesh.ts";
import { findDestinationRule } from "./destination-rule-lookup.ts";

interface RuleText {
  readonly name: string;
  readonly namespace: string;
  readonly host: string;
  readonly subsets?: readonly string[];
  readonly exportTo?: string;
  readonly created?: string;
  readonly policy?: string;
}

/** The rules that count for a client of `client`, by name; the service lives in namespace shop. */
function find(rules: readonly RuleText[], client: string): ReturnType<typeof findDestinationRule> {
  const texts = rules.map(
    (rule) => `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: ${rule.name}, namespace: ${rule.namespace}, creationTimestamp: ${rule.created ?? "~"}}
spec:
  host: "${rule.host}"
  exportTo: [${rule.exportTo === undefined ? "" : `"${rule.exportTo}"`}]
  trafficPolicy: ${rule.policy === undefined ? "~" : `{loadBalancer: {simple: ${rule.policy}}}`}
  subsets: [${(rule.subsets ?? []).map((name) => `{name: ${name}, labels: {rule: ${rule.name}}}`).join(", ")}]`,
  );
  texts.push("apiVersion: v1\nkind: Service\nmetadata: {name: app, namespace: shop}\nspec: {ports: [{port: 80}]}");
  const parsed = parseManifests([{ path: "rules.yaml", text: texts.join("\n---\n") }], { defaultNamespace: "default" });
  expect(parsed.diagnostics).toEqual([]);
  const { mesh } = buildMesh(parsed.manifests);
  return findDestinationRule(mesh, "app.shop.svc.cluster.local", { clientNamespace: client });
}

function names(rule: ReturnType<typeof findDestinationRule>): readonly string[] {
  return (rule?.rules ?? []).map((entry) => entry.metadata.name);
}

const full = "app.shop.svc.cluster.local";

describe("which namespace counts", () => {
  const everywhere: readonly RuleText[] = [
    { name: "client", namespace: "web", host: full },
    { name: "service", namespace: "shop", host: "app" },
    { name: "root", namespace: "istio-system", host: full },
  ];

  test("the client's, then the service's, then the root", () => {
    expect(names(find(everywhere, "web"))).toEqual(["client"]);
    expect(names(find(everywhere, "other"))).toEqual(["service"]);
    expect(names(find(everywhere.slice(2), "other"))).toEqual(["root"]);
    expect(names(find(everywhere.slice(0, 1), "other"))).toEqual([]);
  });

  test("a rule exported elsewhere only does not count at home", () => {
    const away: readonly RuleText[] = [{ name: "away", namespace: "shop", host: "app", exportTo: "web" }];
    expect(names(find(away, "shop"))).toEqual([]);
    expect(names(find(away, "web"))).toEqual(["away"]);
    expect(names(find([{ name: "own", namespace: "shop", host: "app", exportTo: "." }], "shop"))).toEqual(["own"]);
  });

  test("a client in the root namespace takes private rules there first, shared ones last", () => {
    expect(names(find(everywhere, "istio-system"))).toEqual(["service"]);
    const withPrivate = [...everywhere, { name: "own", namespace: "istio-system", host: full, exportTo: "." }];
    expect(names(find(withPrivate, "istio-system"))).toEqual(["own"]);
  });

  test("a rule that is not exported to the client does not count", () => {
    expect(names(find([{ name: "a", namespace: "shop", host: "app", exportTo: "." }], "web"))).toEqual([]);
    expect(names(find([{ name: "a", namespace: "shop", host: "app", exportTo: "web" }], "web"))).toEqual(["a"]);
  });
});

test("an exact host beats the longest wildcard, which beats a shorter one", () => {
  const wide = { name: "wide", namespace: "shop", host: "*.local" };
  const narrow = { name: "narrow", namespace: "shop", host: "*.shop.svc.cluster.local" };
  const exact = { name: "exact", namespace: "shop", host: "app" };
  expect(names(find([wide, narrow, exact], "web"))).toEqual(["exact"]);
  expect(names(find([wide, narrow], "web"))).toEqual(["narrow"]);
  expect(names(find([wide], "web"))).toEqual(["wide"]);
});

test("rules for other clients are not merged, and a rule after one stands beside those before it too", () => {
  const shared = { namespace: "shop", host: "app" };
  const rules: readonly RuleText[] = [
    { ...shared, name: "a", created: "2021-01-01T00:00:00Z", policy: "RANDOM" },
    { ...shared, name: "b", created: "2022-01-01T00:00:00Z", exportTo: "web" },
  ];
  expect(names(find(rules, "web"))).toEqual(["b"]);
  expect(names(find(rules, "other"))).toEqual(["a"]);
  const third = { ...shared, name: "c", created: "2023-01-01T00:00:00Z" };
  expect(names(find([...rules, third], "web"))).toEqual(["c"]);
});

test("rules for one host and namespace are merged, the oldest first", () => {
  const merged = find(
    [
      {
        name: "a",
        namespace: "shop",
        host: "app",
        subsets: ["v1", "v2"],
        created: "2021-01-01T00:00:00Z",
        policy: "RANDOM",
      },
      { name: "b", namespace: "shop", host: full, subsets: ["v2", "v3"], created: "2020-01-01T00:00:00Z" },
      { name: "d", namespace: "shop", host: "app", created: "2023-01-01T00:00:00Z", policy: "ROUND_ROBIN" },
    ],
    "web",
  );
  expect(names(merged)).toEqual(["b", "a", "d"]);
  expect(merged?.subsets.map((subset) => [subset.name, subset.labels["rule"]])).toEqual([
    ["v2", "b"],
    ["v3", "b"],
    ["v1", "a"],
  ]);
  expect(merged?.trafficPolicy?.loadBalancer).toEqual({ kind: "simple", simple: "RANDOM" });
});
