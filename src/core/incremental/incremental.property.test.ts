import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { SourceText } from "../manifest/manifest.ts";
import { MeshModelBuilder } from "../mesh-model.ts";

const options = { defaultNamespace: "apps" };

/** Few enough names that objects meet: the same hosts, the same destinations, names that nobody has. */
const hostLists = [["a.test"], ["b.test"], ["A.test", "c.test"], ["*.test"], ["*"], ["app"], ["*.test", "a.other"]];
const backends = ["app", "app-2", "missing", "other.test"];

interface Rule {
  readonly path: string | undefined;
  readonly arms: readonly { readonly host: string; readonly subset: string; readonly weight: number }[];
  readonly mirror: string | undefined;
  readonly status: number | undefined;
  readonly name: string | undefined;
  /** Nothing here looks at tokens, which is a finding about the rule. */
  readonly asksForClaim: boolean;
}

const anyRule: fc.Arbitrary<Rule> = fc.record({
  path: fc.option(fc.constantFrom("/", "/a", "/a/b", "/c", "~/x+", "~("), { nil: undefined }),
  arms: fc.array(
    fc.record({
      host: fc.constantFrom(...backends),
      subset: fc.constantFrom("", "blue", "green", "none"),
      weight: fc.nat(3),
    }),
    { minLength: 1, maxLength: 2 },
  ),
  mirror: fc.option(fc.constantFrom(...backends), { nil: undefined }),
  status: fc.option(fc.constantFrom(200, 204), { nil: undefined, freq: 6 }),
  name: fc.option(fc.constantFrom("first", "second"), { nil: undefined }),
  asksForClaim: fc.oneof({ arbitrary: fc.constant(false), weight: 6 }, { arbitrary: fc.constant(true), weight: 1 }),
});

function renderRule(rule: Rule): unknown {
  const uri = rule.path?.startsWith("~") === true ? { regex: rule.path.slice(1) } : { prefix: rule.path };
  const headers = rule.asksForClaim ? { headers: { "@request.auth.claims.group": { exact: "staff" } } } : {};
  const hasMatch = rule.path !== undefined || rule.asksForClaim;
  const match = hasMatch ? { match: [{ ...(rule.path === undefined ? {} : { uri }), ...headers }] } : {};
  const named = rule.name === undefined ? {} : { name: rule.name };
  if (rule.status !== undefined) return { ...named, ...match, directResponse: { status: rule.status } };
  const route = rule.arms.map(({ host, subset, weight }) => ({
    destination: { host, ...(subset === "" ? {} : { subset }) },
    weight,
  }));
  return { ...named, ...match, route, ...(rule.mirror === undefined ? {} : { mirror: { host: rule.mirror } }) };
}

const anyVirtualService = fc
  .record({
    name: fc.constantFrom("one", "two", "three", "four"),
    hosts: fc.constantFrom(...hostLists),
    gateways: fc.constantFrom(["gateway"], ["gateway", "third"], ["third", "second"], ["third", "mesh"], ["nowhere"]),
    rules: fc.array(anyRule, { minLength: 1, maxLength: 3 }),
    exportTo: fc.constantFrom(undefined, ["."], ["*"]),
  })
  .map(({ name, rules, ...spec }) =>
    object("networking.istio.io/v1/VirtualService", name, { ...spec, http: rules.map(renderRule) }),
  );

const anyDestinationRule = fc
  .record({
    name: fc.constantFrom("rule", "rule-2"),
    host: fc.constantFrom(...backends, "*.test"),
    subsets: fc.uniqueArray(fc.constantFrom("blue", "green"), { maxLength: 2 }),
    policy: fc.constantFrom(
      {},
      { loadBalancer: { consistentHash: { httpHeaderName: "x-user" } } },
      { tls: { mode: "SIMPLE", credentialName: "nobody" } },
      { tls: { mode: "MUTUAL", clientCertificate: "/c.pem", privateKey: "/k.pem" } },
    ),
  })
  .map(({ name, host, subsets, policy }) =>
    object("networking.istio.io/v1/DestinationRule", name, {
      host,
      subsets: subsets.map((subset) => ({ name: subset, labels: { version: subset } })),
      trafficPolicy: policy,
    }),
  );

const anyOther = fc.constantFrom(
  object("v1/Service", "app", { selector: { app: "app" }, ports: [{ name: "http", port: 80 }] }),
  object("v1/Service", "app", {
    ports: [
      { name: "http", port: 80 },
      { name: "http-2", port: 81 },
    ],
  }),
  object("networking.istio.io/v1/ServiceEntry", "entry", {
    hosts: ["other.test"],
    ports: [{ number: 80, name: "http", protocol: "HTTP" }],
    resolution: "STATIC",
    endpoints: [{ address: "127.0.0.1", labels: { version: "blue" } }],
  }),
  gateway("second", ["a.test", "*.other"]),
  gateway("second", ["b.test"]),
  "",
);

function gateway(name: string, admitted: readonly string[]): string {
  return object("networking.istio.io/v1/Gateway", name, {
    selector: { istio: "ingressgateway" },
    servers: [
      {
        port: { number: { gateway: 80, second: 8080, third: 8081 }[name], name: "http", protocol: "HTTP" },
        hosts: admitted,
      },
    ],
  });
}

function object(type: string, name: string, spec: unknown): string {
  const at = type.lastIndexOf("/");
  const [apiVersion, kind] = [type.slice(0, at), type.slice(at + 1)];
  return JSON.stringify({ apiVersion, kind, metadata: { name, namespace: "apps" }, spec });
}

const service = (name: string): string =>
  object("v1/Service", name, { selector: { app: name }, ports: [{ name: "http", port: 80 }] });

const subsets = (host: string, names: readonly string[]): string =>
  object("networking.istio.io/v1/DestinationRule", host, {
    host,
    subsets: names.map((name) => ({ name, labels: { version: name } })),
  });

function virtualService(name: string, admitted: readonly string[], backend: string): string {
  const http = [{ route: [{ destination: { host: backend } }] }];
  return object("networking.istio.io/v1/VirtualService", name, {
    hosts: admitted,
    gateways: ["gateway", "third"],
    http,
  });
}

/** A wildcard meets the exact host of a server in the virtual host of that; some rules lead to what others lead to. */
const first: readonly SourceText[] = [
  { path: "0.yaml", text: `${gateway("gateway", ["*"])}\n---\n${gateway("third", ["a.test"])}` },
  { path: "1.yaml", text: virtualService("one", ["a.test"], "app") },
  { path: "2.yaml", text: virtualService("two", ["*.test"], "app-2") },
  { path: "3.yaml", text: `${virtualService("three", ["b.test"], "app")}\n---\n${service("app-2")}` },
  { path: "4.yaml", text: virtualService("four", ["a.test", "c.test"], "missing") },
  { path: "5.yaml", text: `${service("app")}\n---\n${subsets("app", ["blue", "green"])}` },
  { path: "6.yaml", text: subsets("app-2", ["blue"]) },
];

interface Edit {
  readonly file: number;
  readonly documents: readonly string[];
  /** A comment in front moves everything that follows. */
  readonly lines: number;
}

const anyEdit: fc.Arbitrary<Edit> = fc.record({
  file: fc.integer({ min: 1, max: 6 }),
  documents: fc.array(
    fc.oneof(
      { arbitrary: anyVirtualService, weight: 6 },
      { arbitrary: anyDestinationRule, weight: 2 },
      { arbitrary: anyOther, weight: 1 },
    ),
    { minLength: 1, maxLength: 2 },
  ),
  lines: fc.constantFrom(0, 0, 0, 1),
});

function apply(sources: readonly SourceText[], { file, documents, lines }: Edit): readonly SourceText[] {
  const text = `${"# moved\n".repeat(lines)}${documents.join("\n---\n")}`;
  return sources.with(file, { path: `${file}.yaml`, text });
}

/** Edits of rules alone, which are what is patched: the same VirtualService with other rules. */
const rulesOfOne = fc.array(anyRule, { minLength: 1, maxLength: 3 });

test("after any edits, a model made of the one before is the model that is built anew", () => {
  let patched = 0;
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          { arbitrary: anyEdit, weight: 1 },
          { arbitrary: fc.record({ pick: fc.nat(), rules: rulesOfOne }), weight: 5 },
        ),
        { minLength: 3, maxLength: 10 },
      ),
      (edits) => {
        const builder = new MeshModelBuilder();
        let sources = first;
        compare(builder, sources);
        for (const edit of edits) {
          sources = "rules" in edit ? changeRules(sources, edit.pick, edit.rules) : apply(sources, edit);
          patched += compare(builder, sources);
        }
      },
    ),
    { numRuns: 100 },
  );
  // Without these the test would hold building anew against itself.
  expect(patched).toBeGreaterThan(100);
}, 120_000);

function changeRules(sources: readonly SourceText[], pick: number, rules: readonly Rule[]): readonly SourceText[] {
  const places = sources.flatMap(({ text }, file) =>
    text.split("\n---\n").flatMap((document, at) => (document.includes('"VirtualService"') ? [{ file, at }] : [])),
  );
  const place = places[pick % Math.max(1, places.length)];
  const source = place && sources[place.file];
  if (place === undefined || source === undefined) return sources;
  const documents = source.text.split("\n---\n").map((document, at) => {
    if (at !== place.at) return document;
    const start = document.indexOf("{");
    const parsed = JSON.parse(document.slice(start));
    parsed.spec.http = rules.map(renderRule);
    return document.slice(0, start) + JSON.stringify(parsed);
  });
  return sources.with(place.file, { path: source.path, text: documents.join("\n---\n") });
}

/** Returns 1 where the model was made of the one before. */
function compare(builder: MeshModelBuilder, sources: readonly SourceText[]): number {
  const servable = builder.buildServable(sources, options);
  const anew = new MeshModelBuilder().buildServable(sources, options);
  expect(servable.table).toEqual(anew.table);
  expect([...servable.table.destinations.keys()].toSorted()).toEqual([...anew.table.destinations.keys()].toSorted());
  expect(servable.mesh).toEqual(anew.mesh);
  const finished = builder.finish(servable, sources, options);
  expect(finished.diagnostics).toEqual(anew.diagnostics);
  return servable.isChecked ? 0 : 1;
}

test("rules of a wildcard are patched in, also where it meets exact hosts of a gateway", () => {
  const builder = new MeshModelBuilder();
  compare(builder, first);
  const wildcard = (backend: string): readonly SourceText[] =>
    first.with(2, { path: "2.yaml", text: virtualService("two", ["*.test"], backend) });
  expect(compare(builder, wildcard("app"))).toBe(1);
  expect(compare(builder, wildcard("missing"))).toBe(1);
  const { table } = builder.buildServable(wildcard("missing"), options);
  const hosts = table.httpRoutings.flatMap(({ virtualHosts }) => virtualHosts);
  const named = hosts.filter(({ routes }) => routes.some(({ origin }) => origin.virtualService === "apps/two"));
  expect(named.map(({ domain }) => domain).toSorted()).toEqual(["*.test", "a.test"]);
});

function one(name: string, status: number): string {
  return object("networking.istio.io/v1/VirtualService", name, {
    hosts: [`${name}.test`],
    gateways: ["gateway"],
    http: [{ directResponse: { status } }],
  });
}

test("a changed rule is patched in, and everything else stays the same object", () => {
  const builder = new MeshModelBuilder();
  const sources = ["one", "two", "three"].map((name) => ({ path: `${name}.yaml`, text: one(name, 200) }));
  const all = [{ path: "gateway.yaml", text: gateway("gateway", ["*"]) }, ...sources];
  const before = builder.buildServable(all, options);
  const after = builder.buildServable(all.with(2, { path: "two.yaml", text: one("two", 204) }), options);
  expect(after.isChecked).toBe(false);
  const [old, next] = [before, after].map(({ table }) => table.httpRoutings[0]?.virtualHosts ?? []);
  expect(next?.map((host, index) => host === old?.[index])).toEqual([true, true, false]);
  expect(next?.[2]?.routes[0]?.action).toMatchObject({ status: 204 });
  expect(after.table.destinations).toBe(before.table.destinations);
  expect(after.table.listeners).toBe(before.table.listeners);
});

test("a policy that changes makes new destinations, and keeps the virtual hosts", () => {
  const builder = new MeshModelBuilder();
  const policy = (connectTimeout: string) =>
    object("networking.istio.io/v1/DestinationRule", "app", {
      host: "app",
      trafficPolicy: { connectionPool: { tcp: { connectTimeout } } },
    });
  const sources = [
    { path: "gateway.yaml", text: gateway("gateway", ["*"]) },
    { path: "service.yaml", text: object("v1/Service", "app", { ports: [{ name: "http", port: 80 }] }) },
    {
      path: "virtual-service.yaml",
      text: object("networking.istio.io/v1/VirtualService", "one", {
        hosts: ["one.test"],
        gateways: ["gateway"],
        http: [{ route: [{ destination: { host: "app" } }] }],
      }),
    },
    { path: "rule.yaml", text: policy("1s") },
  ];
  const before = builder.buildServable(sources, options);
  const after = builder.buildServable(sources.with(3, { path: "rule.yaml", text: policy("2s") }), options);
  expect(after.table.httpRoutings).toBe(before.table.httpRoutings);
  expect(after.table.destinations).not.toEqual(before.table.destinations);
});

test("a finding about a policy goes when no rule leads to its destination any more", () => {
  const tls = { tls: { mode: "SIMPLE", credentialName: "nobody" } };
  const policy = object("networking.istio.io/v1/DestinationRule", "policy", { host: "app", trafficPolicy: tls });
  const sources = first.with(6, { path: "6.yaml", text: policy });
  const builder = new MeshModelBuilder();
  const codes = (texts: readonly SourceText[]): readonly string[] => {
    const { diagnostics } = builder.buildServable(texts, options);
    return diagnostics.map(({ code }) => code);
  };
  expect(codes(sources)).toContain("KIR1117");
  const withoutOne = sources.with(1, { path: "1.yaml", text: virtualService("one", ["a.test"], "missing") });
  expect(codes(withoutOne)).toContain("KIR1117");
  const text = `${virtualService("three", ["b.test"], "missing")}\n---\n${service("app-2")}`;
  expect(codes(withoutOne.with(3, { path: "3.yaml", text }))).not.toContain("KIR1117");
});
