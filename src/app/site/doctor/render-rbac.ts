import { stringify } from "yaml";
import type { NeededAccess } from "../../../kubernetes/needed-access.ts";
import { gatewayAccess, personalAccess, resourcesIn, type RightsScope } from "./examine-rights.ts";

interface RbacScope extends RightsScope {
  readonly istioNamespace: string;
  /** Where the Gateways of the routes are beside them. */
  readonly gatewayNamespaces?: readonly string[];
}

const roleName = "kirikae-mover";

/**
 * Roles for a person who moves traffic, as YAML: one for the whole cluster, or one for a namespace and each other that
 * its routes need, and one for Istio's. Whom they are bound to is for the cluster's owner to say.
 */
export function renderRbac({ namespace, istioNamespace, gatewayNamespaces = [] }: RbacScope): string {
  const ofRoutes = personalAccess.filter(({ where }) => where === "routes");
  const ofIstio = personalAccess.filter(({ where }) => where === "istio");
  const subject =
    "# Bind them with: kubectl create clusterrolebinding (or rolebinding -n NAMESPACE) NAME --clusterrole (or --role) kirikae-mover --user USER\n";
  const roles = new Map<string | undefined, readonly NeededAccess[]>([[namespace, ofRoutes]]);
  const add = (place: string, access: readonly NeededAccess[]) =>
    roles.set(place, [...new Set([...(roles.get(place) ?? []), ...access])]);
  add(istioNamespace, namespace === undefined ? ofIstio : [...ofIstio, ...ofRoutes.filter(provesIstio)]);
  if (namespace !== undefined) for (const place of gatewayNamespaces) add(place, gatewayAccess);
  const texts = [...roles].map(([place, access]) => stringify(role(place, access), { lineWidth: 0 }));
  return `${subject}${texts.join("---\n")}`.trimEnd();
}

/** istiod and gateways are pods of Istio's namespace, and are asked there too. */
function provesIstio({ for: use, resources }: NeededAccess): boolean {
  return use === "prove" || resources.includes("pods");
}

/** Without a namespace, for all of them. */
function role(namespace: string | undefined, access: readonly NeededAccess[]): object {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: namespace === undefined ? "ClusterRole" : "Role",
    metadata: { name: roleName, ...(namespace === undefined ? {} : { namespace }) },
    rules: access.map(({ names, ...right }) => ({
      apiGroups: [right.group],
      resources: [...resourcesIn(namespace, right)],
      ...(names === undefined ? {} : { resourceNames: [...names] }),
      verbs: [...right.verbs],
    })),
  };
}
