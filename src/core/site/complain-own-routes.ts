import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { VirtualServiceManifest } from "../manifest/manifest.ts";
import { parseManifests } from "../manifest/parse-manifests.ts";
import { mergeDelegates } from "../routes/merge-delegates.ts";
import { isCatchAll } from "../routes/route-match.ts";
import type { RouteTable } from "../routes/route-table.ts";
import { asText, type JsonObject } from "./json-value.ts";
import type { LaidOver } from "./lay-own-routes.ts";
import type { LiveRule } from "./live-rules.ts";
import { isOwnRule, stripOwnRoutes } from "./own-routes.ts";
import { refuseWrite, type SiteRefusal } from "./refuse-site.ts";
import type { SiteObject } from "./site-object.ts";

export interface LaidObject {
  readonly object: SiteObject;
  /** Its rules with routes of kirikae's own. */
  readonly http: readonly JsonObject[];
  /** By `namespace/name`. */
  readonly objects: ReadonlyMap<string, SiteObject>;
  readonly table: RouteTable;
  readonly tasks: readonly { readonly live: LiveRule; readonly laid: LaidOver }[];
}

/** Why the own routes in a VirtualService would not do what they are for; undefined where they would. */
export function complainOwnRoutes(laid: LaidObject): SiteRefusal | undefined {
  const { manifests, diagnostics } = parse({ ...laid.object, spec: { ...asSpec(laid.object), http: laid.http } });
  const [written] = manifests;
  if (written === undefined || written.spec.http.length < laid.http.length) {
    const before = parse(stripOwnRoutes(laid.object));
    const known = new Set(before.diagnostics.map(({ message }) => message));
    const finding = diagnostics.find(({ level, message }) => level === "error" && !known.has(message));
    // A rule that could not be read before is not ours to complain about.
    if (finding !== undefined) return refuseInvalid(laid.object, finding);
  }
  for (const { live, laid: over } of laid.tasks) {
    if (over.previews.length === 0 && over.mirror === undefined) continue;
    const complaint = complainOrder(live, laid) ?? (written && complainDelegate(live, written, laid));
    if (complaint !== undefined) return complaint;
  }
  return undefined;
}

/**
 * A gateway puts the rules of several VirtualServices for one host into one list, the older ones first, and moves a rule
 * that takes every request to the end. A route of ours with more conditions is not moved there, and would take requests of
 * the rules that it passes. Source: Istio `route.go`, SortVHostRoutes.
 */
function complainOrder(live: LiveRule, { table, objects }: LaidObject): SiteRefusal | undefined {
  if (!live.routes.some(({ match }) => isCatchAll(match))) return undefined;
  for (const { virtualHosts } of table.httpRoutings) {
    for (const { routes, domain } of virtualHosts) {
      const own = routes.findIndex((route) => live.routes.includes(route) && isCatchAll(route.match));
      if (own === -1) continue;
      const later = routes.find(({ origin, match }, at) => {
        if (origin.virtualService === live.root) return false;
        // Of several rules that take every request the first takes it; whoever has another comes to nothing.
        if (isCatchAll(match)) return at < own;
        return !isOlder(objects.get(origin.virtualService), objects.get(live.root));
      });
      if (later !== undefined) return refuseOrder(live, later.origin.virtualService, domain);
    }
  }
  return undefined;
}

/** By creation time, then name, then namespace. Source: Istio `pilot/pkg/model/config.go`. */
function isOlder(one: SiteObject | undefined, other: SiteObject | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  const [left, right] = [ageOf(one), ageOf(other)];
  const at = left.findIndex((part, index) => part !== right[index]);
  return at !== -1 && (left[at] ?? "") < (right[at] ?? "");
}

function ageOf({ metadata }: SiteObject): readonly string[] {
  return [asText(metadata["creationTimestamp"]) ?? "", metadata.name, metadata.namespace ?? ""];
}

/** A rule of a delegate is lost where its conditions cannot hold together with those of whoever delegates. */
function complainDelegate(
  { owner, root, handedOverBy }: LiveRule,
  written: VirtualServiceManifest,
  { objects, http }: LaidObject,
): SiteRefusal | undefined {
  const rootObject = objects.get(root);
  if (handedOverBy.length === 0 || rootObject === undefined) return undefined;
  const merged = mergeDelegates([...parse(rootObject).manifests, written], { defaultVirtualServiceExportTo: ["*"] });
  const names = (merged[0]?.spec.http ?? []).map(({ name }) => name ?? "");
  const lost = http.filter(isOwnRule).find((rule) => !names.some((name) => name.endsWith(String(rule["name"]))));
  if (lost === undefined) return undefined;
  return refuseWrite("KIR4023", {
    message: `What the preview or the mirror asks for in ${owner} cannot hold together with the conditions of ${root}.`,
    hint: "Choose another mark for the preview: one that the delegating VirtualService says nothing about.",
  });
}

function parse(object: SiteObject): {
  readonly manifests: readonly VirtualServiceManifest[];
  readonly diagnostics: readonly Diagnostic[];
} {
  const source = { path: "VirtualService", text: JSON.stringify(object) };
  const { manifests, diagnostics } = parseManifests([source], { defaultNamespace: "default" });
  return {
    manifests: manifests.filter((manifest): manifest is VirtualServiceManifest => manifest.kind === "VirtualService"),
    diagnostics,
  };
}

function asSpec({ spec }: SiteObject): object {
  return typeof spec === "object" && spec !== null ? spec : {};
}

function refuseInvalid({ metadata }: SiteObject, { message }: Diagnostic): SiteRefusal {
  return refuseWrite("KIR4023", {
    message: `Istio would not take the routes of the release in ${metadata.namespace ?? ""}/${metadata.name}: ${message}`,
    hint: "Choose other marks for the preview, or fewer and shorter ones.",
  });
}

function refuseOrder({ root }: LiveRule, other: string, domain: string): SiteRefusal {
  return refuseWrite("KIR4028", {
    message: `A preview or a mirror of ${root} would also take requests of ${other}, which has rules for ${domain} too.`,
    hint: "Give the rule of the release a condition, such as a path, or put the rules for this host into one VirtualService.",
  });
}
