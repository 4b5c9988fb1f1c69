import { stringify } from "yaml";
import type { NeededAccess } from "../../kubernetes/needed-access.ts";
import { personalAccess, type RightsScope } from "./examine-rights.ts";

interface RbacScope extends RightsScope {
  readonly istioNamespace: string;
}

const roleName = "kirikae-mover";

/**
 * Roles for a person who moves traffic, as YAML: one for the whole cluster, or for one namespace and Istio's. Whom they
 * are bound to is for the cluster's owner to say.
 */
export function renderRbac({ namespace, istioNamespace }: RbacScope): string {
  const ofRoutes = personalAccess.filter(({ where }) => where === "routes");
  const ofIstio = [...personalAccess.filter(({ where }) => where === "istio"), ...ofRoutes.filter(provesIstio)];
  const istio = role({ kind: "Role", namespace: istioNamespace }, namespace === undefined ? onlyIstio() : ofIstio);
  const routes =
    namespace === undefined
      ? role({ kind: "ClusterRole" }, ofRoutes)
      : role({ kind: "Role", namespace }, ofRoutes.filter(isNamespaced));
  const subject =
    "# Bind them with: kubectl create clusterrolebinding (or rolebinding -n NAMESPACE) NAME --clusterrole (or --role) kirikae-mover --user USER\n";
  return `${subject}${[routes, istio].map((object) => stringify(object, { lineWidth: 0 })).join("---\n")}`.trimEnd();
}

function onlyIstio(): readonly NeededAccess[] {
  return personalAccess.filter(({ where }) => where === "istio");
}

/** istiod and gateways are pods of Istio's namespace, and are asked there too. */
function provesIstio({ for: use, resources }: NeededAccess): boolean {
  return use === "prove" || resources.includes("pods");
}

/** Namespaces live in none, and a Role grants nothing on them. */
function isNamespaced({ resources }: NeededAccess): boolean {
  return resources.some((resource) => resource !== "namespaces");
}

function role(
  { kind, namespace }: { readonly kind: "Role" | "ClusterRole"; readonly namespace?: string },
  access: readonly NeededAccess[],
): object {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind,
    metadata: { name: roleName, ...(namespace === undefined ? {} : { namespace }) },
    rules: access.map(({ group, resources, verbs, names }) => ({
      apiGroups: [group],
      resources: kind === "Role" ? resources.filter((each) => each !== "namespaces") : [...resources],
      ...(names === undefined ? {} : { resourceNames: [...names] }),
      verbs: [...verbs],
    })),
  };
}
