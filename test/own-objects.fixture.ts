import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";
import { parseManifests } from "../src/core/manifest/parse-manifests.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

export interface OwnObject {
  readonly from: string;
  readonly object: Readonly<Record<string, unknown>>;
}

/** Every Release and LocalWorkload of the examples, the guides and the test data. */
export function readOwnObjects(): readonly OwnObject[] {
  return [
    ...filesBelow("examples", ".yaml").flatMap((file) => objectsIn(file, readFileSync(root + file, "utf8"))),
    ...filesBelow("testdata", ".yaml").flatMap((file) => objectsIn(file, readFileSync(root + file, "utf8"))),
    ...filesBelow("docs", ".md").flatMap((file) => {
      const blocks = readFileSync(root + file, "utf8").matchAll(/^```yaml\n(.*?)^```/gmsu);
      return [...blocks].flatMap(([, text = ""]) => objectsIn(file, text));
    }),
  ];
}

function filesBelow(folder: string, ending: string): readonly string[] {
  return readdirSync(root + folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(ending))
    .map((file) => `${folder}/${file}`);
}

function objectsIn(from: string, text: string): readonly OwnObject[] {
  if (!text.includes("kirikae.dev/v1alpha1")) return [];
  return parseAllDocuments(text).flatMap((document): readonly OwnObject[] => {
    const object: unknown = document.toJS();
    return isMapping(object) && object["apiVersion"] === "kirikae.dev/v1alpha1" ? [{ from, object }] : [];
  });
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether the decoder takes it. */
export function isRead(object: unknown): boolean {
  const { diagnostics } = parseManifests([{ path: "a.yaml", text: JSON.stringify(object) }], {
    defaultNamespace: "default",
  });
  return !diagnostics.some(({ level }) => level === "error");
}

/** Small changes that somebody could make: other types, other names, nothing at all, too much. */
const values: readonly unknown[] = [-1, 0, 0.5, 101, 1e9, "", "10m", "x y", true, [], {}, [1], ["GET"], { zz: 1 }];

/** The value with one thing changed, in every place. */
export function* mutate(value: unknown): Generator {
  yield* values;
  if (Array.isArray(value)) {
    yield [...value, ...value];
    for (const [index, item] of value.entries()) for (const each of mutate(item)) yield value.with(index, each);
    return;
  }
  if (!isMapping(value)) return;
  yield { ...value, zzStranger: 1 };
  for (const [key, inner] of Object.entries(value)) {
    yield Object.fromEntries(Object.entries(value).filter(([other]) => other !== key));
    for (const each of mutate(inner)) yield { ...value, [key]: each };
  }
}

function release(strategy: unknown, more: object = {}) {
  return {
    apiVersion: "kirikae.dev/v1alpha1",
    kind: "Release",
    metadata: { name: "a", namespace: "shop" },
    spec: { routes: [{ virtualService: "shop/web", route: "0" }], from: "blue", to: "green", strategy, ...more },
  };
}

function local(spec: object) {
  return {
    apiVersion: "kirikae.dev/v1alpha1",
    kind: "LocalWorkload",
    metadata: { name: "a", namespace: "shop" },
    spec: { labels: { app: "a" }, ...spec },
  };
}

/** One of each form that a field has. */
export function richObjects(): readonly {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: object;
  readonly spec: unknown;
}[] {
  const judge = { name: "errors", interval: "30s", count: 3, failureLimit: 1, inconclusiveLimit: 2, timeout: "5s" };
  const check = {
    duration: "5m",
    minRequests: 50,
    successRate: { min: 99.5 },
    compareWithLive: false,
    latency: [{ percentile: 99, max: "300ms", timesLive: 1.5 }],
    ejections: { max: 0 },
    judges: [
      {
        ...judge,
        prometheus: {
          address: "http://127.0.0.1:9090",
          query: "up",
          success: ">= 1",
          bearer: { fromFile: "/run/token" },
        },
      },
      {
        name: "hook",
        dryRun: true,
        http: { url: "http://127.0.0.1/x", method: "POST", body: "{}", value: { path: "a.b", success: "== 1" } },
      },
      { name: "script", initialDelay: "1s", command: ["true", "{{to}}"] },
    ],
    dryRun: true,
  };
  const preview = { name: "staff", match: [{ headers: { "x-staff": { exact: "1" } }, cookies: { beta: "yes" } }] };
  return [
    release({
      steps: [
        { preview },
        {
          mirror: { percent: 10, methods: ["GET"], compare: { headers: ["etag"], body: true, ignoredFields: ["a.b"] } },
        },
        { weight: 10 },
        { weight: { green: 20, blue: 80 } },
        { hold: "5m" },
        { hold: {} },
        { approve: { people: 2, question: "Go?", expires: "1h", starterMayApprove: false } },
        { check },
        { switch: {} },
        { bake: { duration: "10m", check: { successRate: { min: 99 } } } },
        { bake: "1m" },
        { finish: {} },
      ],
    }),
    release(
      { blueGreen: {} },
      {
        takeOver: ["helm-controller"],
        proof: { unreachable: "goOn", timeout: "2m" },
        whenDeleted: "leave",
        subsets: [{ destinationRule: "web", add: [{ name: "green", labels: { version: "green" } }], remove: ["red"] }],
        sites: { contexts: ["tokyo", "osaka"], order: "together" },
      },
    ),
    release({
      canary: { weights: [1, 10, 50], hold: { duration: "1m" }, check: { duration: "1m", latency: { p99: "1s" } } },
    }),
    release(
      {
        cohorts: [
          { name: "staff", match: [{ queryParams: { beta: {} } }] },
          { name: "some", weight: 5 },
        ],
      },
      {
        maxFailed: 0,
        sessionAffinity: { cookie: "who", maxAge: "1h" },
        probes: { perSecond: 5, requests: [{ host: "a.example.com", path: "/", method: "HEAD" }] },
        freezes: [{ cron: "0 17 * * 5", duration: "63h", timeZone: "Asia/Tokyo", reason: "weekend" }],
        // oxlint-disable-next-line unicorn/no-thenable -- it is the field's name, and nobody awaits it.
        maxDuration: { duration: "6h", then: "pause" },
        wayBack: { capacity: "ignore" },
        notifications: [{ log: {} }, { webhook: { url: "https://hooks.example.com/", events: ["done"] } }],
      },
    ),
    local({
      command: ["node", "a.js"],
      workingDirectory: "app",
      env: { A: "1" },
      replicas: 2,
      readiness: { http: "/ready", interval: "1s" },
    }),
    local({ addresses: ["127.0.0.1:80"], targetPort: 80, readiness: { http: { path: "/" } } }),
  ];
}
