import type { ReleaseManifest } from "../../src/core/manifest/manifest.ts";
import { parseManifests } from "../../src/core/manifest/parse-manifests.ts";
import type { RouteTable } from "../../src/core/routes/route-table.ts";
import { sketchTable } from "../route-table.fixture.ts";

export const serviceNames = ["web", "api", "pay", "other"] as const;
export type ServiceName = (typeof serviceNames)[number];

const tables = new Map<string, RouteTable>();

/** Four services with a blue and a green version and a third that has nothing to do with either, by declared share. */
export function declaredTable(green: Readonly<Record<ServiceName, number>>): RouteTable {
  const key = JSON.stringify(green);
  const known =
    tables.get(key) ??
    sketchTable(
      serviceNames.map((name) => ({
        name: `shop/${name}`,
        rules: [
          {
            name: "public",
            arms: { [`${name}/blue`]: 100 - green[name], [`${name}/green`]: green[name] },
          },
        ],
      })),
    );
  tables.set(key, known);
  return known;
}

export function destinationOf(service: ServiceName, version: "blue" | "green"): string {
  return `outbound|80|${version}|${service}.shop.svc.cluster.local`;
}

const check = "{duration: 3s, minRequests: 10, successRate: {min: 95}}";
/** Others are asked beside the figures. */
const judged =
  "{duration: 3s, minRequests: 10, judges: [{name: asked, interval: 500ms, http: {url: 'http://127.0.0.1:9/'}}]}";
const preview = '{name: staff, match: [{headers: {x-staff: {exact: "1"}}}]}';

/** What is drawn from: each strategy, with what else its Release says. A new step gets a strategy of its own here. */
export const strategies = [
  `strategy: {canary: {weights: [10, 50], hold: 5s, check: ${check}}}`,
  "strategy: {steps: [{weight: 30}, {approve: {people: 2, expires: 1m}}, {switch: {}}, {hold: {}}]}",
  "strategy: {blueGreen: {approve: {}, bake: 5s}}, maxFailed: 0",
  `strategy: {steps: [{preview: ${preview}}, {mirror: {percent: 10}}, {hold: 2s}, {weight: 50}, {finish: {}}, {switch: {}}]}`,
  `strategy: {canary: {weights: [20], check: ${check}}}, maxDuration: {duration: 8s, then: rollback}`,
  "strategy: {steps: [{weight: 25}, {hold: 10s}, {switch: {}}]}, maxDuration: {duration: 6s, then: pause}",
  `strategy: {canary: {weights: [5, 60], hold: 2s}}, freezes: [{cron: "*/2 * * * *", duration: 20s}]`,
  "strategy: {steps: [{affinity: {cookie: visitor, maxAge: 1h}}, {weight: 50}, {bake: 3s}, {switch: {}}, {finish: {}}]}",
  `strategy: {abTest: {preview: ${preview}, hold: 2s, check: ${check}}}`,
  `strategy: {mirrorFirst: {mirror: {percent: 10}, weights: [15], check: ${judged}}}`,
  `strategy: {cohorts: {cohorts: [${preview}, {name: few, weight: 30}], check: ${check}, approve: {}}}`,
] as const;

const releases = new Map<string, ReleaseManifest>();

export function parseModelRelease(strategy: number, services: readonly ServiceName[]): ReleaseManifest {
  const name = `r-${services.join("-")}`;
  const key = `${strategy} ${name}`;
  const known = releases.get(key);
  if (known !== undefined) return known;
  const routes = services.map((service) => `{virtualService: ${service}}`).join(", ");
  const spec = `{routes: [${routes}], to: green, ${strategies[strategy] ?? ""}}`;
  const text = `{apiVersion: kirikae.dev/v1alpha1, kind: Release, metadata: {name: ${name}, namespace: shop}, spec: ${spec}}`;
  const { manifests, diagnostics } = parseManifests([{ path: "r.yaml", text }], { defaultNamespace: "shop" });
  const release = manifests.find((manifest) => manifest.kind === "Release");
  if (release === undefined) throw new Error(`${text}: ${JSON.stringify(diagnostics)}`);
  releases.set(key, release);
  return release;
}
