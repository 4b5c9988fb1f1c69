import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { routeCases } from "../../../test/arbitrary/route-case.ts";
import { buildMesh } from "../mesh/build-mesh.ts";
import { parseManifests } from "../manifest/parse-manifests.ts";
import { addRoutes } from "../routes/add-routes.ts";
import { buildRouteTable } from "../routes/build-route-table.ts";
import type { OwnedAddition, RequestMark } from "../routes/route-addition.ts";
import type { RouteTable, Split, SplitWeights } from "../routes/route-table.ts";
import { simulate } from "../routes/simulate.ts";
import type { SimulatedRequest } from "../routes/simulation.ts";
import { splitsOf, weightsOf, withWeights } from "../routes/weights.ts";
import { withoutFields } from "./json-value.ts";
import { httpRules, isOwnRule, stripOwnRoutes } from "./own-routes.ts";
import { planSiteWrites, type SiteWrite } from "./plan-site-writes.ts";
import { renderSiteSource } from "./render-site-source.ts";
import { siteAnnotations, type SiteObject } from "./site-object.ts";

/** Each run builds five tables. */
const runs = 60;

const cases = routeCases({ requests: 12, connections: 0 });

function objectsOf(yaml: string): readonly SiteObject[] {
  return yaml.split("\n---\n").map((text) => {
    const object = JSON.parse(text) as SiteObject;
    // The API gives each object the namespace that it is in.
    return { ...object, metadata: { ...object.metadata, namespace: object.metadata.namespace ?? "default" } };
  });
}

function tableOf(sources: readonly { readonly path: string; readonly text: string }[]): RouteTable {
  const { manifests } = parseManifests(sources, { defaultNamespace: "default" });
  return buildRouteTable(buildMesh(manifests).mesh).table;
}

/** As kirikae sees the site: without its own routes. */
function viewOf(objects: readonly SiteObject[]): RouteTable {
  return tableOf(objects.map(renderSiteSource));
}

/** As Istio sees it. */
function liveOf(objects: readonly SiteObject[]): RouteTable {
  return tableOf(objects.map((object, index) => ({ path: `${index}`, text: JSON.stringify(object) })));
}

function applied(objects: readonly SiteObject[], writes: readonly SiteWrite[]): readonly SiteObject[] {
  return objects.map((object) => {
    const write = writes.find(
      ({ name }) => object.kind === "VirtualService" && name === `${object.metadata.namespace}/${object.metadata.name}`,
    );
    if (write === undefined) return object;
    const others = withoutFields(object.metadata.annotations ?? {}, [siteAnnotations.added]) as Record<string, string>;
    const annotations = { ...others, ...write.object.metadata.annotations };
    const metadata = { ...object.metadata, annotations };
    return {
      ...object,
      metadata: Object.keys(annotations).length === 0 ? withoutAnnotations(object) : metadata,
      spec: { ...(object.spec as object), ...(write.object.spec as object) },
    };
  });
}

function withoutAnnotations({ metadata }: SiteObject): SiteObject["metadata"] {
  return withoutFields(metadata, ["annotations"]) as SiteObject["metadata"];
}

/** What can be compared of an answer: names of routes and of splits are each side's own. */
function outcomeOf(table: RouteTable, request: SimulatedRequest): unknown {
  const { result } = simulate(table, request);
  if (result.kind !== "route") return { kind: result.kind, ...("status" in result ? { status: result.status } : {}) };
  const arms = result.arms.map(({ arm, sharePercent }) => [arm.destination, Math.round(sharePercent * 1e6)] as const);
  const mirrors = result.action.mirrors.map(({ destination, percent }) => [
    destination.replace("copies|", ""),
    percent,
  ]);
  const carried = result.arms.map((each) => {
    // Between fields of different names no order means anything (RFC 9110, 5.3).
    const headers = each.requestHeaders.toSorted(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0));
    return [each.arm.destination, each.authority, headers] as const;
  });
  return {
    kind: "route",
    target: result.target,
    arms: Object.fromEntries(arms),
    carried: carried.toSorted(([one], [other]) => (one < other ? -1 : 1)),
    mirrors,
    rewrite: result.action.pathRewrite,
  };
}

function weigh({ arms }: Split, draw: readonly number[]): SplitWeights {
  const weights = arms.map(({ destination }, index) => [destination, draw[index % draw.length] ?? 0] as const);
  return Object.fromEntries(weights.some(([, weight]) => weight > 0) ? weights : weights.map(([arm]) => [arm, 1]));
}

function pickSplits(table: RouteTable, pick: number): readonly Split[] {
  const written = new Set<string>();
  for (const { action, origin } of table.httpRoutings.flatMap((one) =>
    one.virtualHosts.flatMap(({ routes }) => routes),
  )) {
    if (action.kind === "forward" && origin.virtualService !== "" && origin.madeFrom === undefined) {
      written.add(action.split.id);
    }
  }
  const movable = [...splitsOf(table).values()].filter(({ id }) => written.has(id));
  return movable.filter((_split, index) => (pick >> (index % 12)) % 2 === 1).slice(0, 3);
}

/** Only rules whose other identities are all picked: one VirtualService cannot say two things on two ports. */
function isAlone(table: RouteTable, split: Split): boolean {
  const base = split.id.split("~")[0] ?? "";
  return [...splitsOf(table).keys()].filter((id) => id.split("~")[0] === base).length === 1;
}

const marks: fc.Arbitrary<RequestMark> = fc
  .record({
    headers: fc.dictionary(
      fc.constantFrom("x-v", "x-staff"),
      fc.constantFrom(
        { kind: "exact", value: "green" } as const,
        { kind: "present" } as const,
        { kind: "prefix", value: "g" } as const,
      ),
      { maxKeys: 1 },
    ),
    cookies: fc.dictionary(
      fc.constantFrom("beta", "team"),
      fc.constantFrom({ kind: "exact", value: "1" } as const, { kind: "present" } as const),
      { maxKeys: 2 },
    ),
    query: fc.dictionary(fc.constantFrom("p", "preview"), fc.constantFrom({ kind: "exact", value: "1" } as const), {
      maxKeys: 1,
    }),
  })
  .filter(({ headers, cookies, query }) => Object.keys({ ...headers, ...cookies, ...query }).length > 0);

function marked(request: SimulatedRequest, pick: number): SimulatedRequest {
  const headers: (readonly [string, string])[] = [
    ["x-staff", "green"],
    ["x-v", "green"],
    ["cookie", "team=2; beta=1"],
    ["cookie", "beta=1"],
  ];
  const extra = headers.filter((_header, index) => (pick >> index) % 2 === 1);
  // A client has one cookie header at most in what Envoy compares.
  const one = extra.filter(([name], index) => extra.findIndex(([other]) => other === name) === index);
  return { ...request, headers: [...request.headers, ...one] };
}

describe("any live objects", { timeout: 120_000 }, () => {
  it("route as the table with these weights says, and go back to what they were", () => {
    let written = 0;
    fc.assert(
      fc.property(
        cases,
        fc.integer({ min: 1, max: 4095 }),
        fc.array(fc.nat(3), { minLength: 3, maxLength: 3 }),
        ({ yaml, requests }, pick, draw) => {
          const objects = objectsOf(yaml);
          const table = viewOf(objects);
          const picked = pickSplits(table, pick).filter((split) => isAlone(table, split));
          const weights = new Map(picked.map((split) => [split.id, weigh(split, draw)]));
          const plan = planSiteWrites({ objects, table, weights, additions: [] });
          if (plan.kind === "refused") {
            expect(plan.error.code).toMatch(/^KIR402[12]$/u);
            return;
          }
          written += plan.writes.length;
          const after = applied(objects, plan.writes);
          const wanted = withWeights(table, weights);
          const live = liveOf(after);
          for (const request of requests) expect(outcomeOf(live, request)).toEqual(outcomeOf(wanted, request));
          // Again, nothing is to be done.
          const view = viewOf(after);
          expect(planSiteWrites({ objects: after, table: view, weights, additions: [] })).toEqual({
            kind: "writes",
            writes: [],
          });
          const back = planSiteWrites({
            objects: after,
            table: view,
            weights: new Map(picked.map((split) => [split.id, weightsOf(split)])),
            additions: [],
          });
          expect(back.kind).toBe("writes");
          if (back.kind === "writes") expect(applied(after, back.writes)).toEqual(objects);
        },
      ),
      { numRuns: runs },
    );
    expect(written).toBeGreaterThan(5);
  });

  it("route as the table with previews and mirrors over it says, and without them are what they were", () => {
    let own = 0;
    fc.assert(
      fc.property(
        cases,
        fc.integer({ min: 1, max: 4095 }),
        fc.record({
          previewMarks: fc.array(marks, { minLength: 1, maxLength: 2 }),
          methods: fc.subarray(["GET", "HEAD", "POST", "A+B"], { minLength: 1 }),
        }),
        ({ yaml, requests }, pick, { previewMarks, methods }) => {
          const objects = objectsOf(yaml);
          const table = viewOf(objects);
          const picked = pickSplits(table, pick).filter((split) => isAlone(table, split));
          const to = Object.fromEntries(picked.map(({ id, arms }) => [id, arms.at(-1)?.destination ?? ""]));
          const additions: readonly OwnedAddition[] = [
            { release: "shop/one", addition: { kind: "preview", name: "a", to, marks: previewMarks.slice(0, 1) } },
            { release: "shop/one", addition: { kind: "preview", name: "b", to, marks: previewMarks } },
            { release: "shop/one", addition: { kind: "mirror", to, percent: 12.5, methods } },
          ];
          const weights = new Map(picked.slice(0, 1).map((split) => [split.id, weigh(split, [pick % 3, 2, 1])]));
          const plan = planSiteWrites({ objects, table, weights, additions });
          if (plan.kind === "refused") {
            expect(plan.error.code).toMatch(/^KIR40(?:2[12348]|30)$/u);
            return;
          }
          const after = applied(objects, plan.writes);
          own += after.flatMap((object) => httpRules(object).filter(isOwnRule)).length;
          const wanted = addRoutes(withWeights(table, weights), additions);
          const live = liveOf(after);
          for (const [index, plain] of requests.entries()) {
            const request = marked(plain, (pick >> 3) + index);
            expect(outcomeOf(live, request)).toEqual(outcomeOf(wanted, request));
          }
          expect(planSiteWrites({ objects: after, table: viewOf(after), weights, additions })).toEqual({
            kind: "writes",
            writes: [],
          });
          if (weights.size === 0) expect(after.map(stripOwnRoutes)).toEqual(objects);
          const back = planSiteWrites({
            objects: after,
            table: viewOf(after),
            weights: new Map(picked.slice(0, 1).map((split) => [split.id, weightsOf(split)])),
            additions: [],
          });
          expect(back.kind).toBe("writes");
          if (back.kind === "writes") expect(applied(after, back.writes)).toEqual(objects);
        },
      ),
      { numRuns: runs },
    );
    expect(own).toBeGreaterThan(10);
  });
});
