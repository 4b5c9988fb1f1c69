import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { renderPosition } from "../diagnostics/position.ts";
import { type ObjectName, objectName, resourceName, type VirtualServiceManifest } from "../manifest/manifest.ts";
import type { HttpMatch, HttpRoute } from "../manifest/virtual-service.ts";
import { ruleName } from "./check-rule-order.ts";
import { delegatesOf } from "./destination-reference.ts";
import { resolveGatewayName } from "./gateway-name.ts";
import { matchesConflict } from "./merge-matches.ts";
import type { Mesh } from "./mesh.ts";
import { resolveExports } from "./service-directory.ts";

/**
 * Rules that Istio leaves out without a word because of a delegate: it is not there, not exported to the rule, or its
 * matches never hold together with those of the rule; and delegates that nobody names.
 * Source: Istio `pilot/pkg/model/virtualservice.go`, mergeVirtualServicesIfNeeded and mergeHTTPRoute.
 */
export function checkDelegates(mesh: Pick<Mesh, "virtualServices">): readonly Diagnostic[] {
  const services = new Map(mesh.virtualServices.map((service) => [objectName(service), service] as const));
  const roots = mesh.virtualServices.filter(({ spec }) => spec.hosts.length > 0);
  const named = new Set(roots.flatMap(delegatesOf));
  const idle = mesh.virtualServices
    .filter(({ spec }) => spec.hosts.length === 0)
    .filter((one) => !named.has(objectName(one)));
  return [...roots.flatMap((root) => checkRoot(root, services)), ...idle.map(reportIdle)];
}

function checkRoot(
  root: VirtualServiceManifest,
  services: ReadonlyMap<ObjectName, VirtualServiceManifest>,
): readonly Diagnostic[] {
  const { namespace } = root.metadata;
  return root.spec.http.flatMap((rule) => {
    if (rule.action.kind !== "delegate") {
      return [];
    }
    const name = `${rule.action.namespace ?? namespace}/${rule.action.name}`;
    const delegate = services.get(name);
    const reason = complainDelegate(name, delegate, namespace);
    return delegate === undefined || reason !== undefined
      ? [reportMissing(root, rule.action.at, reason ?? `there is no VirtualService ${name}`)]
      : checkLeaves({ root, rule, delegate });
  });
}

/** Why a VirtualService cannot be delegated to from a namespace. */
function complainDelegate(
  name: ObjectName,
  delegate: VirtualServiceManifest | undefined,
  namespace: string,
): string | undefined {
  if (delegate === undefined) {
    return `there is no VirtualService ${name}`;
  }
  if (delegate.spec.hosts.length > 0) {
    return `VirtualService ${name} has hosts of its own, and only one without can be delegated to`;
  }
  const exports = resolveExports(delegate.spec.exportTo, delegate.metadata.namespace);
  return exports.includes("*") || exports.includes(namespace)
    ? undefined
    : `VirtualService ${name} is not exported to namespace ${namespace}`;
}

interface Delegation {
  readonly root: VirtualServiceManifest;
  readonly rule: HttpRoute;
  readonly delegate: VirtualServiceManifest;
}

function checkLeaves({ root, rule, delegate }: Delegation): readonly Diagnostic[] {
  const outer = matchesInFull(rule, root);
  return delegate.spec.http.flatMap((leaf, index) => {
    const lost = matchesInFull(leaf, delegate).find(
      (inner) => outer.length > 0 && outer.every((match) => matchesConflict(match, inner)),
    );
    if (leaf.action.kind !== "delegate" && lost === undefined) {
      return [];
    }
    const reason =
      leaf.action.kind === "delegate"
        ? "a delegate may not delegate again"
        : `its match at ${renderPosition((lost ?? leaf).at)} holds together with none of the matches there`;
    return [
      diagnostic("KIR1226", {
        message: `Rule ${ruleName(leaf, index)} is left out for ${resourceName(root)} (${renderPosition(rule.at)}), which delegates to it: ${reason}.`,
        hint:
          lost === undefined
            ? "Let the VirtualService with hosts name each delegate itself."
            : "A delegate's path must begin with the prefix of the rule that delegates, and regular expressions go with no other path.",
        resource: resourceName(delegate),
        at: leaf.at,
      }),
    ];
  });
}

function matchesInFull(rule: HttpRoute, { metadata }: VirtualServiceManifest): readonly HttpMatch[] {
  return rule.match.map((match) => ({
    ...match,
    gateways: match.gateways.map((name) => resolveGatewayName(name, metadata.namespace) ?? "mesh"),
  }));
}

function reportMissing(root: VirtualServiceManifest, at: Diagnostic["at"], reason: string): Diagnostic {
  return diagnostic("KIR1225", {
    message: `This rule is left out, because ${reason}; its requests go to the rules after it, or get 404.`,
    hint: "Name a VirtualService without hosts, with its namespace where that is another.",
    resource: resourceName(root),
    at,
  });
}

function reportIdle(delegate: VirtualServiceManifest): Diagnostic {
  return diagnostic("KIR1233", {
    message: "It has no hosts, so its rules count only where another VirtualService delegates to it, and none does.",
    hint: `Write delegate: {name: ${delegate.metadata.name}, namespace: ${delegate.metadata.namespace}} in a rule, or give it hosts.`,
    resource: resourceName(delegate),
    at: delegate.at,
  });
}
