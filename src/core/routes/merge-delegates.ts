import { objectName, type ObjectName, type VirtualServiceManifest } from "../manifest/manifest.ts";
import type { MeshConfig } from "../manifest/mesh-config.ts";
import { combineMirrors } from "../manifest/combine-mirrors.ts";
import type { HttpMatch, HttpMirror, HttpRoute, MirrorFields, RouteDestination } from "../manifest/virtual-service.ts";
import { resolveGatewayName } from "../mesh/gateway-name.ts";
import { resolveDestinationHost } from "../mesh/host-name.ts";
import { isVisibleIn } from "./exports.ts";
import { matchesConflict, mergeMatch } from "../mesh/merge-matches.ts";

/**
 * VirtualServices as proxies see them: one without hosts counts only where another delegates to it, one level deep.
 * What a rule of the delegate sets replaces what the delegating rule sets; conditions hold together, and a rule whose
 * conditions cannot hold together is lost. Source: Istio `pilot/pkg/model/virtualservice.go`, mergeHTTPRoute.
 */
export function mergeDelegates(
  virtualServices: readonly VirtualServiceManifest[],
  config: Pick<MeshConfig, "defaultVirtualServiceExportTo">,
): readonly VirtualServiceManifest[] {
  const delegates = new Map<ObjectName, VirtualServiceManifest>();
  for (const manifest of virtualServices) {
    if (manifest.spec.hosts.length === 0) delegates.set(objectName(manifest), manifest);
  }
  return virtualServices
    .filter((manifest) => manifest.spec.hosts.length > 0)
    .map((root) => {
      if (!root.spec.http.some(({ action }) => action.kind === "delegate")) return root;
      const http = root.spec.http.flatMap((rule) => expandRule(rule, { root, delegates, config }));
      return { ...root, spec: { ...root.spec, http } };
    });
}

interface Expansion {
  readonly root: VirtualServiceManifest;
  readonly delegates: ReadonlyMap<ObjectName, VirtualServiceManifest>;
  readonly config: Pick<MeshConfig, "defaultVirtualServiceExportTo">;
}

/** Nothing where the delegate cannot be had: Istio leaves that rule out and keeps the others. */
function expandRule(rule: HttpRoute, { root, delegates, config }: Expansion): readonly HttpRoute[] {
  const { action } = rule;
  if (action.kind !== "delegate") return [rule];
  const own = root.metadata.namespace;
  const namespace = action.namespace === undefined || action.namespace === "" ? own : action.namespace;
  const delegate = delegates.get(`${namespace}/${action.name}`);
  const byDefault = config.defaultVirtualServiceExportTo;
  if (delegate === undefined || !isVisibleIn(own, { exportTo: delegate.spec.exportTo, byDefault, namespace })) {
    return [];
  }
  return delegate.spec.http.flatMap((leaf) =>
    leaf.action.kind === "delegate"
      ? []
      : (mergeRule(inFull(rule, own), { ...inFull(leaf, namespace), delegate: objectName(delegate) }) ?? []),
  );
}

/** What a delegate names belongs to the delegate's namespace, also after its rules stand elsewhere. */
function inFull(rule: HttpRoute, namespace: string): HttpRoute {
  const named = <Target extends Pick<RouteDestination, "destination">>(target: Target): Target => ({
    ...target,
    destination: { ...target.destination, host: resolveDestinationHost(target.destination.host, namespace) },
  });
  const { mirrorFields } = rule;
  return {
    ...rule,
    match: rule.match.map((match) => ({
      ...match,
      gateways: match.gateways.map((gateway) => resolveGatewayName(gateway, namespace) ?? "mesh"),
    })),
    mirrors: rule.mirrors.map(named),
    ...(mirrorFields === undefined
      ? {}
      : {
          mirrorFields: {
            ...mirrorFields,
            mirror:
              mirrorFields.mirror === undefined ? undefined : named({ destination: mirrorFields.mirror }).destination,
            mirrors: mirrorFields.mirrors.map(named),
          },
        }),
    action:
      rule.action.kind === "route"
        ? { ...rule.action, destinations: rule.action.destinations.map(named) }
        : rule.action,
  };
}

function mergeRule(root: HttpRoute, leaf: HttpRoute): HttpRoute | undefined {
  const match = mergeMatches(root.match, leaf.match);
  if (match === undefined) return undefined;
  return {
    ...leaf,
    match,
    name: joinNames(root.name, leaf.name),
    timeoutMs: leaf.timeoutMs ?? root.timeoutMs,
    retries: leaf.retries ?? root.retries,
    rewrite: leaf.rewrite ?? root.rewrite,
    fault: leaf.fault ?? root.fault,
    cors: leaf.cors ?? root.cors,
    mirrors: mergeMirrors(root, leaf),
    headers: hasChanges(leaf.headers) ? leaf.headers : root.headers,
  };
}

/** Source: Istio `pilot/pkg/model/virtualservice.go`, mergeHTTPRoute. */
function mergeMirrors(root: HttpRoute, leaf: HttpRoute): readonly HttpMirror[] {
  const [ofRoot, ofLeaf] = [root.mirrorFields ?? noMirrorFields, leaf.mirrorFields ?? noMirrorFields];
  return combineMirrors({
    mirror: ofLeaf.mirror ?? ofRoot.mirror,
    percent: ofLeaf.percent ?? ofRoot.percent,
    mirrors: ofLeaf.mirrors.length > 0 ? ofLeaf.mirrors : ofRoot.mirrors,
  });
}

const noMirrorFields: MirrorFields = { mirror: undefined, percent: undefined, mirrors: [] };

/** Every pair that can hold together; undefined when an entry of the delegate goes with none of the root's. */
function mergeMatches(root: readonly HttpMatch[], leaf: readonly HttpMatch[]): readonly HttpMatch[] | undefined {
  if (root.length === 0) return leaf;
  if (leaf.length === 0) return root;
  const merged: HttpMatch[] = [];
  for (const inner of leaf) {
    const fitting = root.filter((outer) => !matchesConflict(outer, inner));
    if (fitting.length === 0) return undefined;
    merged.push(...fitting.map((outer) => ({ ...mergeMatch(outer, inner), name: joinNames(outer.name, inner.name) })));
  }
  return merged;
}

function joinNames(root: string | undefined, leaf: string | undefined): string | undefined {
  const parts = [root, leaf].filter((name) => name !== undefined && name !== "");
  return parts.length === 0 ? undefined : parts.join("-");
}

function hasChanges({ request, response }: HttpRoute["headers"]): boolean {
  return [request, response].some(
    ({ set, add, remove }) => Object.keys(set).length + Object.keys(add).length + remove.length > 0,
  );
}
