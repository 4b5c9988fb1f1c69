import { expect, test } from "vitest";
import { renderSiteSource } from "../core/site/render-site-source.ts";
import type { KubeObject } from "../kubernetes/kube-object.ts";
import { AdmissionJudge } from "./admission-judge.ts";
import type { AdmissionRequest } from "./admission-review.ts";

const istio = "networking.istio.io/v1";

function object(kind: string, name: string, spec: object): KubeObject {
  return { apiVersion: istio, kind, metadata: { name, namespace: "shop" }, spec };
}

const entry = object("ServiceEntry", "web", {
  hosts: ["web.shop.svc.cluster.local"],
  ports: [{ number: 80, name: "http", protocol: "HTTP" }],
  resolution: "STATIC",
  location: "MESH_INTERNAL",
  endpoints: [
    { address: "10.0.0.1", labels: { version: "blue" } },
    { address: "10.0.0.2", labels: { version: "green" } },
  ],
});

const rule = object("DestinationRule", "web", {
  host: "web.shop.svc.cluster.local",
  subsets: [
    { name: "blue", labels: { version: "blue" } },
    { name: "green", labels: { version: "green" } },
  ],
});

function routes(weights: Readonly<Record<string, number>>, name = "web"): KubeObject {
  const route = Object.entries(weights).map(([subset, weight]) => ({
    destination: { host: "web.shop.svc.cluster.local", subset },
    weight,
  }));
  return object("VirtualService", name, { hosts: [`${name}.shop.svc.cluster.local`], http: [{ name: "all", route }] });
}

function release(strategy: object, status?: object): KubeObject {
  const metadata = { name: "to-green", namespace: "shop" };
  const spec = { routes: [{ virtualService: "web" }], to: "green", strategy };
  return { apiVersion: "kirikae.dev/v1alpha1", kind: "Release", metadata, spec, status };
}

interface Setting {
  readonly objects?: readonly KubeObject[] | undefined;
  readonly releases?: readonly KubeObject[];
  readonly onWait?: (objects: KubeObject[]) => void;
}

function judge(setting: Setting, request: Omit<AdmissionRequest, "uid">) {
  const objects = setting.objects === undefined ? undefined : [...setting.objects];
  return new AdmissionJudge({
    view: {
      sources: () => objects?.map((each) => ({ ...renderSiteSource(each), isObject: true as const })),
      leavesOut: () => false,
      releases: () => setting.releases ?? [],
    },
    now: () => 0,
    untilFresher: async () => setting.onWait?.(objects ?? []),
  }).judge({ uid: "1", ...request }, new AbortController().signal);
}

const running = [entry, rule, routes({ blue: 100, green: 0 })];

test("an object that concerns more than can be looked at without keeping the process is not judged", async () => {
  const long = "x".repeat(300_000);
  const many = Array.from({ length: 8 }, (_, index) => {
    const { metadata, ...rest } = routes({ blue: 100 }, `web-${index}`);
    return { ...rest, metadata: { ...metadata, annotations: { long } } };
  });
  const request = { operation: "CREATE", oldObject: undefined, object: rule } as const;
  const answer = await judge({ objects: [entry, ...many] }, request);
  expect(answer).toMatchObject({ kind: "unjudged", reason: expect.stringMatching(/^the 9 objects .* up to 2097152/u) });
  expect(await judge({ objects: [entry, ...many.slice(0, 6)] }, request)).toMatchObject({ kind: "allowed" });
});

test("a change of weights passes", async () => {
  const request = {
    operation: "UPDATE",
    oldObject: routes({ blue: 100, green: 0 }),
    object: routes({ blue: 90, green: 10 }),
  } as const;
  expect(await judge({ objects: running }, request)).toEqual({ kind: "allowed", warnings: [] });
});

test("a subset that is not there is refused with the field and the code", async () => {
  const request = { operation: "UPDATE", oldObject: running[2], object: routes({ purple: 100 }) } as const;
  const answer = await judge({ objects: running }, request);
  expect(answer).toMatchObject({ kind: "denied" });
  if (answer.kind !== "denied") return;
  expect(answer.message).toMatch(/KIR\d{4}.* VirtualService shop\/web spec\.http\[0\]\.route\[0\]/u);
  expect(answer.message).toContain("purple");
});

test("a fault that was there before is nobody's affair", async () => {
  const broken = [entry, rule, routes({ purple: 100 }), routes({ blue: 100 }, "other")];
  const request = {
    operation: "UPDATE",
    oldObject: routes({ blue: 100 }, "other"),
    object: routes({ green: 100 }, "other"),
  } as const;
  expect(await judge({ objects: broken }, request)).toMatchObject({ kind: "allowed" });
});

test("what others need cannot be deleted, and what nobody needs can", async () => {
  const needed = await judge({ objects: running }, { operation: "DELETE", object: undefined, oldObject: rule });
  expect(needed).toMatchObject({ kind: "denied", message: expect.stringContaining("without it") });
  const free = await judge({ objects: [entry, rule] }, { operation: "DELETE", object: undefined, oldObject: rule });
  expect(free).toMatchObject({ kind: "allowed" });
});

test("a subset may be declared before its pods run", async () => {
  const purple = { name: "purple", labels: { version: "purple" } };
  const more = object("DestinationRule", "web", {
    host: "web.shop.svc.cluster.local",
    subsets: [purple, { name: "blue", labels: { version: "blue" } }, { name: "green", labels: { version: "green" } }],
  });
  const answer = await judge({ objects: running }, { operation: "UPDATE", oldObject: rule, object: more });
  expect(answer).toEqual({ kind: "allowed", warnings: [expect.stringContaining("KIR1030")] });
});

test("what was stored a moment ago is waited for", async () => {
  const request = { operation: "CREATE", oldObject: undefined, object: routes({ green: 100 }) } as const;
  expect(await judge({ objects: [], onWait: (objects) => void objects.push(entry, rule) }, request)).toMatchObject({
    kind: "allowed",
  });
  expect(await judge({ objects: [] }, request)).toMatchObject({ kind: "denied" });
});

test("nothing is judged by half a cluster", async () => {
  const request = { operation: "CREATE", oldObject: undefined, object: routes({ green: 100 }) } as const;
  expect(await judge({ objects: undefined }, request)).toMatchObject({ kind: "unjudged" });
});

test("what would take seconds to judge is not judged", async () => {
  const { spec } = routes({ purple: 100 }) as { readonly spec?: { readonly http?: readonly object[] } };
  const http = Array.from({ length: 4_000 }, () => spec?.http?.[0]);
  const large = object("VirtualService", "web", { ...spec, http });
  const answer = await judge({ objects: running }, { operation: "CREATE", oldObject: undefined, object: large });
  expect(answer).toMatchObject({ kind: "unjudged", reason: expect.stringContaining("characters") });
});

test("who edits weights that a running release moves is warned, and not refused", async () => {
  const request = {
    operation: "UPDATE",
    oldObject: routes({ blue: 100, green: 0 }),
    object: routes({ blue: 0, green: 100 }),
  } as const;
  const startedAt = "2026-11-21T10:00:00Z";
  const during = await judge({ objects: running, releases: [release({}, { startedAt })] }, request);
  expect(during).toMatchObject({ kind: "allowed", warnings: [expect.stringContaining("Release shop/to-green")] });
  const after = await judge({ objects: running, releases: [release({}, { startedAt, endedAt: startedAt })] }, request);
  expect(after).toEqual({ kind: "allowed", warnings: [] });
});

function create(weight: unknown) {
  const object = release({ steps: [{ weight }, { switch: {} }] });
  return judge({ objects: undefined }, { operation: "CREATE", oldObject: undefined, object });
}

test("a Release is read in full, also where the API server's schema cannot", async () => {
  expect(await create({ green: 10, blue: 90 })).toEqual({ kind: "allowed", warnings: [] });
  expect(await create({ green: 60, blue: 90 })).toMatchObject({
    kind: "denied",
    message: expect.stringContaining("Release shop/to-green spec.strategy.steps[0].weight"),
  });
});
