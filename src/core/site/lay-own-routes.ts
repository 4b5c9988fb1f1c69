import type { MirrorAddition, PreviewAddition } from "../routes/route-addition.ts";
import type { DestinationId, Split } from "../routes/route-table.ts";
import { asList, asObject, type JsonObject, withoutFields } from "./json-value.ts";
import type { LiveRule } from "./live-rules.ts";
import { markMatches, methodMatches, type OwnMatches } from "./own-matches.ts";
import type { OwnRouteName } from "./own-routes.ts";
import { refuseWrite, type SiteRefusal } from "./refuse-site.ts";
import { matchEntries, writeDestination } from "./rule-entries.ts";
import { findTwofoldHeader } from "./twofold-header.ts";

/** What lies over one rule; of several mirrors the last counts. */
export interface LaidOver {
  readonly previews: readonly Laid<PreviewAddition>[];
  readonly mirror: Laid<MirrorAddition> | undefined;
}

interface Laid<Addition> {
  readonly release: string;
  readonly addition: Addition;
  /** The version that requests or copies go to. */
  readonly to: DestinationId;
  /** The rule's arms as the addition names them: a rule can lead elsewhere on another port. */
  readonly split: Split;
}

/** A route without its name. */
export interface OwnRoute {
  readonly of: OwnRouteName;
  readonly route: JsonObject;
}

export type OwnRoutes = { readonly kind: "routes"; readonly routes: readonly OwnRoute[] } | SiteRefusal;

export interface LaidRule {
  /** With the weights that it is to have. */
  readonly rule: JsonObject;
  readonly live: LiveRule;
  readonly namespace: string;
}

/**
 * The routes that stand before a rule, previews first: whoever has a mark is copied nowhere. They are the rule itself
 * with more conditions. A version that is gone has no effect, as in `addRoutes`.
 */
export function layOwnRoutes(laid: LaidOver, place: LaidRule): OwnRoutes {
  const routes: OwnRoute[] = [];
  for (const preview of laid.previews) {
    const { release, addition } = preview;
    const entry = findPreviewed(preview, place);
    if (entry === undefined) continue;
    const twofold = isAmongOthers(preview, place) ? findTwofoldHeader(place.rule, entry) : undefined;
    if (twofold !== undefined) return refuseTwofold(preview, twofold);
    const rest = withoutFields(place.rule, ["match", "name", "route"]);
    const added = addMatches(markMatches(place.rule, addition.marks), (match) => ({ match, ...rest, route: [entry] }));
    if (added.kind === "refused") return added;
    routes.push(...added.routes.map((route) => ({ of: { kind: "preview", release } as const, route })));
  }
  if (laid.mirror === undefined) return { kind: "routes", routes };
  const { release } = laid.mirror;
  const mirrored = layMirror(laid.mirror, place);
  if (mirrored.kind === "refused") return mirrored;
  return {
    kind: "routes",
    routes: [...routes, ...mirrored.routes.map((route) => ({ of: { kind: "mirror", release } as const, route }))],
  };
}

type Routes = { readonly kind: "routes"; readonly routes: readonly JsonObject[] } | SiteRefusal;

function addMatches(matches: OwnMatches, build: (match: readonly JsonObject[]) => JsonObject): Routes {
  if (matches.kind === "refused") return matches;
  return { kind: "routes", routes: matches.match.length === 0 ? [] : [build(matches.match)] };
}

/** The entry of the version alone, with what it does to headers; an only destination's changes hold for each version. */
function findPreviewed({ to, split }: Laid<unknown>, { rule, namespace }: LaidRule): JsonObject | undefined {
  if (!split.arms.some(({ destination }) => destination === to)) return undefined;
  const entries = matchEntries(rule, split, namespace) ?? [];
  const known = entries.find(({ arm }) => arm === to);
  if (known !== undefined) return withoutFields(known.entry, ["weight"]);
  const headers = entries.length === 1 ? entries[0]?.entry["headers"] : undefined;
  return {
    destination: writeDestination(to, entries, namespace),
    ...(headers === undefined ? {} : { headers }),
  };
}

function isAmongOthers({ split }: Laid<unknown>, { rule, namespace }: LaidRule): boolean {
  return (matchEntries(rule, split, namespace) ?? []).length > 1;
}

function refuseTwofold({ split }: Laid<PreviewAddition>, header: string): SiteRefusal {
  return refuseWrite("KIR4030", {
    message: `The rule ${split.id} and the destination of its preview both change the header ${header}, and for a destination that is alone Istio would do so in another order.`,
    hint: "Change the header in one of the two places, or leave the preview out, so that testers see what visitors will.",
  });
}

function layMirror({ addition, to, split }: Laid<MirrorAddition>, { rule, live, namespace }: LaidRule): Routes {
  if (losesMirrors(rule, live)) return refuseMirror(live);
  const entries = matchEntries(rule, split, namespace) ?? [];
  const known = entries.find(({ arm }) => arm === to);
  const destination = known?.entry["destination"] ?? writeDestination(to, entries, namespace);
  const rest = withoutFields(rule, ["match", "name", "mirror", ...percentFields]);
  const mirrors = [...mirrorsOf(rule), { destination, percentage: { value: addition.percent } }];
  return addMatches(methodMatches(rule, addition.methods), (match) => ({ match, ...rest, mirrors }));
}

const percentFields = ["mirrorPercentage", "mirrorPercent", "mirror_percent"] as const;

/** In the one form that takes several: Istio does not take `mirror` and `mirrors` together. */
function mirrorsOf(rule: JsonObject): readonly unknown[] {
  const { mirror, mirrorPercentage, mirrorPercent, mirror_percent: oldPercent } = rule;
  if (mirror === undefined) return asList(rule["mirrors"]);
  const percentage = mirrorPercentage ?? asPercentage(mirrorPercent ?? oldPercent);
  return [{ destination: mirror, ...(percentage === undefined ? {} : { percentage }) }];
}

function asPercentage(value: unknown): JsonObject | undefined {
  return typeof value === "number" ? { value } : undefined;
}

/** What a delegate says of mirrors takes the place of what its root says, field by field. */
function losesMirrors(rule: JsonObject, { handedOverBy }: LiveRule): boolean {
  const own = { mirror: rule["mirror"] !== undefined, mirrors: asList(rule["mirrors"]).length > 0 };
  const hasPercent = percentFields.some((field) => rule[field] !== undefined);
  return handedOverBy.some(({ mirrorFields }) => {
    const root = asObject(mirrorFields);
    const inherits = asList(root["mirrors"]).length > 0 && !own.mirrors;
    return inherits || (own.mirror && (root["mirror"] !== undefined || (!hasPercent && root["percent"] !== undefined)));
  });
}

function refuseMirror({ owner, root }: LiveRule): SiteRefusal {
  return refuseWrite("KIR4024", {
    message: `Copies cannot be added in ${owner}, because ${root}, which delegates to it, copies requests itself.`,
    hint: "Leave the mirror step out, or move the mirrors of the delegating VirtualService into the delegate.",
  });
}
