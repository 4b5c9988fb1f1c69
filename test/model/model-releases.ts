import type { ReleaseManifest } from "../../src/core/manifest/manifest.ts";
import { parseManifests } from "../../src/core/manifest/parse-manifests.ts";
import type { RouteTable } from "../../src/core/routes/route-table.ts";
import { sketchTable } from "../route-table.fixture.ts";

export const serviceNames = ["web", "api", "pay", "other"] as const;
export type ServiceName = (typeof serviceNames)[number];

const tables = new Map<string, RouteTable>();

/** Which subsets there are, by service. */
export type KnownSubsets = Readonly<Record<ServiceName, ReadonlySet<string>>>;

/**
 * Four services with a blue and a green version, by declared share, and with a teal one where somebody has made it. A
 * rule that names a subset that is gone leads to nothing with that share.
 */
export function declaredTable(green: Readonly<Record<ServiceName, number>>, subsets: KnownSubsets): RouteTable {
  const key = JSON.stringify([green, serviceNames.map((name) => [...subsets[name]].toSorted())]);
  const known = tables.get(key) ?? buildTable(green, subsets);
  tables.set(key, known);
  return known;
}

function buildTable(green: Readonly<Record<ServiceName, number>>, subsets: KnownSubsets): RouteTable {
  const table = sketchTable(
    serviceNames.map((name) => ({
      name: `shop/${name}`,
      rules: [
        {
          name: "public",
          arms: { [`${name}/blue`]: 100 - green[name], [`${name}/green`]: green[name] },
          idle: subsets[name].has("teal") ? [`${name}/teal`] : [],
        },
      ],
    })),
  );
  const there = new Set(
    serviceNames.flatMap((name) => [...subsets[name]].map((subset) => destinationOf(name, subset))),
  );
  return { ...table, destinations: new Map([...table.destinations].filter(([id]) => there.has(id))) };
}

export function destinationOf(service: ServiceName, version: string): string {
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
  "strategy: {canary: {weights: [10, 50], hold: 2s}}, ADD and REMOVE",
  `strategy: {blueGreen: {preview: ${preview}, hold: 1s, bake: 3s}}, ADD`,
  `strategy: {steps: [{hold: 1s}, {weight: 40}, {check: ${check}}, {switch: {}}, {hold: {}}]}, REMOVE`,
] as const;

/** The subsets of each service that a strategy's `ADD` and `REMOVE` stand for. */
function writeSubsets(strategy: string, services: readonly ServiceName[]): string {
  const add = strategy.includes("ADD") ? "add: [{name: teal, labels: {version: teal}}]" : undefined;
  const remove = strategy.includes("REMOVE") ? "remove: [blue]" : undefined;
  const parts = [add, remove].filter((part) => part !== undefined).join(", ");
  return `subsets: [${services.map((service) => `{destinationRule: ${service}, ${parts}}`).join(", ")}]`;
}

const releases = new Map<string, ReleaseManifest>();

export function parseModelRelease(strategy: number, services: readonly ServiceName[]): ReleaseManifest {
  const name = `r-${services.join("-")}`;
  const key = `${strategy} ${name}`;
  const known = releases.get(key);
  if (known !== undefined) return known;
  const routes = services.map((service) => `{virtualService: ${service}}`).join(", ");
  const drawn = strategies[strategy] ?? "";
  const to = drawn.includes("ADD") ? "teal" : "green";
  const spec = `{routes: [${routes}], to: ${to}, ${drawn.replace(/ADD.*|REMOVE/u, writeSubsets(drawn, services))}}`;
  const text = `{apiVersion: kirikae.dev/v1alpha1, kind: Release, metadata: {name: ${name}, namespace: shop}, spec: ${spec}}`;
  const { manifests, diagnostics } = parseManifests([{ path: "r.yaml", text }], { defaultNamespace: "shop" });
  const release = manifests.find((manifest) => manifest.kind === "Release");
  if (release === undefined) throw new Error(`${text}: ${JSON.stringify(diagnostics)}`);
  releases.set(key, release);
  return release;
}
