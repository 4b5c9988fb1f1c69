import type { RequestShape } from "../load/load-options.ts";

const presets = ["blueGreen", "canary", "abTest", "mirrorFirst", "cohorts", "steps"] as const;
type Preset = (typeof presets)[number];

/** How the new version is: one answer in twenty an error, one in 25 slow, or dead while it has its share. */
const faults = ["healthy", "errors", "slow", "dies"] as const;
type Fault = (typeof faults)[number];

/** A service of its own and the release of it. */
export interface PresetCase {
  /** Of its VirtualService and its Release, and the first part of its host. */
  readonly name: string;
  readonly preset: Preset;
  readonly fault: Fault;
}

export const presetCases: readonly PresetCase[] = faults.flatMap((fault) =>
  presets.map((preset) => ({ name: `${fault}-${preset.toLowerCase()}`, preset, fault })),
);

export const slowMs = 1_200;

/** The new version is bad to the hosts whose name says so. The file `die` ends it where it is called mortal. */
export const presetApp = `
import { existsSync } from "node:fs";
import { createServer } from "node:http";

const { COLOR: color, MORTAL: mortal, PORT: port } = process.env;
const endsNow = () => mortal === "yes" && color === "green" && existsSync("die");
if (endsNow()) process.exit(1);
process.once("SIGTERM", () => process.exit(0));

const counts = new Map();
const server = createServer((request, response) => {
  if (endsNow()) process.exit(1);
  request.resume();
  const { host = "" } = request.headers;
  const count = (counts.get(host) ?? 0) + 1;
  counts.set(host, count);
  const isBad = (fault, every) =>
    color === "green" && host.startsWith(fault) && count % every === Math.floor(every / 2);
  response.writeHead(isBad("errors-", 20) ? 503 : 200, { "x-color": color });
  setTimeout(() => response.end(color === "" ? "" : "shop"), isBad("slow-", 25) ? ${slowMs} : 0);
});
// Never closed while idle, because a proxy may be sending the next request just then; node does it after six seconds.
server.keepAliveTimeout = 0;
server.listen(Number(port), "127.0.0.1");
`;

export function manifestsOf(cases: readonly PresetCase[]): string {
  const gateway = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: front, namespace: shop}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
`;
  const workloads = ["plain", "mortal"].flatMap((app) => ["blue", "green"].map((color) => workloadOf(app, color)));
  return [gateway, ...workloads, ...cases.flatMap(routesOf)].join("---\n");
}

function workloadOf(app: string, color: string): string {
  const env = `{COLOR: ${color}, MORTAL: "${app === "mortal" ? "yes" : "no"}"}`;
  return `apiVersion: kirikae.dev/v1alpha1
kind: LocalWorkload
metadata: {name: ${app}-${color}, namespace: shop}
spec: {labels: {app: ${app}, version: ${color}}, command: [node, server.js], env: ${env}}
`;
}

/** All cases share their processes, and each has its own clusters, so that its figures are its own. */
function routesOf({ name, fault }: PresetCase): readonly string[] {
  const subsets = ["blue", "green"].map((version) => `{name: ${version}, labels: {version: ${version}}}`).join(", ");
  const destination = `{host: ${name}, subset: blue, port: {number: 80}}`;
  return [
    `apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop}
spec: {selector: {app: ${fault === "dies" ? "mortal" : "plain"}}, ports: [{name: http, port: 80}]}
`,
    `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: ${name}, namespace: shop}
spec: {host: ${name}, subsets: [${subsets}]}
`,
    `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ${name}, namespace: shop}
spec: {hosts: [${name}.test], gateways: [front], http: [{route: [{destination: ${destination}}]}]}
`,
  ];
}

/** Requests a second of everybody, and of those with the mark of a preview where the preset has one. */
const rates: Readonly<Record<Fault, { readonly everybody: number; readonly staff: number }>> = {
  healthy: { everybody: 15, staff: 10 },
  errors: { everybody: 30, staff: 15 },
  // A percentile of 99 takes 100 answers.
  slow: { everybody: 60, staff: 25 },
  dies: { everybody: 20, staff: 10 },
};

/** Everybody's shape comes first. The share of each is its requests a second. */
export function requestsOf({ name, preset, fault }: PresetCase): readonly Omit<RequestShape, "name" | "path">[] {
  const { everybody, staff } = rates[fault];
  const host = `${name}.test`;
  const isPreviewed = preset === "blueGreen" || preset === "abTest" || preset === "cohorts";
  return [
    { host, headers: {}, share: everybody },
    ...(isPreviewed ? [{ host, headers: { "x-staff": "1" }, share: staff }] : []),
  ];
}

const checks: Readonly<Record<Fault, string>> = {
  healthy: "duration: 3s, minRequests: 1, successRate: {min: 99}",
  errors: "duration: 6s, minRequests: 30, compareWithLive: false, successRate: {min: 99}",
  slow: "duration: 8s, minRequests: 20, compareWithLive: false, latency: {p50: 800ms, p99: 800ms}",
  dies: "duration: 60s, minRequests: 20, compareWithLive: false, successRate: {min: 90}",
};

export function releaseOf({ name, preset, fault }: PresetCase): string {
  const spec = `{routes: [{virtualService: ${name}}], to: green, strategy: ${strategyOf(preset, fault)}}`;
  return `{apiVersion: kirikae.dev/v1alpha1, kind: Release, metadata: {name: ${name}, namespace: shop}, spec: ${spec}}`;
}

function strategyOf(preset: Preset, fault: Fault): string {
  const check = `check: {${checks[fault]}}`;
  const preview = "{name: staff, match: [{headers: {x-staff: {exact: '1'}}}]}";
  switch (preset) {
    case "blueGreen": {
      const [duration, ...rest] = checks[fault].split(", ");
      return `{blueGreen: {preview: ${preview}, hold: 100ms, bake: {${duration}, check: {${rest.join(", ")}}}}}`;
    }
    case "canary":
      return `{canary: {weights: [30], ${check}}}`;
    case "abTest":
      return `{abTest: {preview: ${preview}, ${check}}}`;
    case "mirrorFirst":
      // Slow answers and a later death are no differences of copies, so those are found where visitors are.
      return fault === "healthy" || fault === "errors"
        ? `{mirrorFirst: {mirror: {compare: {body: true}}, weights: [30], check: {${checks[fault]}, differences: {max: 1}}}}`
        : `{mirrorFirst: {mirror: {}, weights: [30], ${check}}}`;
    case "cohorts": {
      const match = "match: [{headers: {x-staff: {exact: '1'}}}]";
      return `{cohorts: {cohorts: [{name: staff, ${match}}, {name: some, weight: 30}], ${check}}}`;
    }
    case "steps":
      return `{steps: [{weight: 30}, {${check}}, {switch: {}}]}`;
  }
}
