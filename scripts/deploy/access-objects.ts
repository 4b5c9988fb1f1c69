import { type AccessScope, clusterResources, type NeededAccess, neededAccess } from "../../src/kubernetes/needed-access.ts";
import { type DeployObject, type KubernetesObject, labels } from "./deploy-object.ts";
import { type DeployValues, expression } from "./deploy-values.ts";

const group = "rbac.authorization.k8s.io";
const file = "access";

/** The service account, and exactly the rights of `neededAccess`. */
export function buildAccessObjects(values: DeployValues): readonly DeployObject[] {
  return [
    { file, object: buildAccount(values) },
    ...buildRoutesAccess(values),
    buildRole("ClusterRole", { name: "kirikae-cluster" }, "cluster"),
    { file, object: bind(values, { role: "ClusterRole", metadata: { name: "kirikae-cluster" } }) },
    ...buildOwnRole(values, { name: "kirikae", namespace: values.namespace }, "own"),
    ...buildOwnRole(values, { name: "kirikae-istio", namespace: values.istioNamespace }, "istio"),
    buildPeopleRole("kirikae-view", ["get", "list", "watch"], ["view", "edit", "admin"]),
    buildPeopleRole("kirikae-edit", ["create", "update", "patch", "delete"], ["edit", "admin"]),
  ];
}

function buildAccount({ namespace }: DeployValues): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: "kirikae", namespace, labels },
    // The pod asks for its token by itself, so that no other pod under this account has one by accident.
    automountServiceAccountToken: false,
  };
}

/** One role for routes and Releases: bound once for the cluster, or for one namespace and Istio's where the chart's values name one. */
function buildRoutesAccess(values: DeployValues): readonly DeployObject[] {
  const name = "kirikae-routes";
  const here = bind(values, { role: "ClusterRole", metadata: { name, namespace: expression("$namespace") } });
  return [
    buildRole("ClusterRole", { name }, "routes"),
    { file, when: "not .Values.onlyNamespace", object: bind(values, { role: "ClusterRole", metadata: { name } }) },
    {
      file,
      comment: "The Releases and routes of one namespace alone, and istiod and the gateways, which are asked what they use.",
      when: ".Values.onlyNamespace",
      each: "uniq (list .Values.onlyNamespace .Values.istioNamespace)",
      object: here,
    },
  ];
}

interface RoleName {
  readonly name: string;
  readonly namespace?: string;
}

/** Gives the service account the role of the same name. */
function bind({ namespace }: DeployValues, to: { readonly role: string; readonly metadata: RoleName }): KubernetesObject {
  return {
    apiVersion: `${group}/v1`,
    kind: to.metadata.namespace === undefined ? "ClusterRoleBinding" : "RoleBinding",
    metadata: { ...to.metadata, labels },
    roleRef: { apiGroup: group, kind: to.role, name: to.metadata.name },
    subjects: [{ kind: "ServiceAccount", name: "kirikae", namespace }],
  };
}

function buildOwnRole(values: DeployValues, metadata: RoleName, scope: AccessScope): readonly DeployObject[] {
  return [buildRole("Role", metadata, scope), { file, object: bind(values, { role: "Role", metadata }) }];
}

function buildRole(kind: string, metadata: RoleName, scope: AccessScope): DeployObject {
  const needed = listAccess(scope);
  return {
    file,
    object: { apiVersion: `${group}/v1`, kind, metadata: { ...metadata, labels }, rules: needed.map(buildRule) },
    ruleComments: needed.map(({ reason }) => `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`),
  };
}

/** What is in no namespace is granted by itself, because no role of one namespace could. */
function listAccess(scope: AccessScope): readonly NeededAccess[] {
  return neededAccess.flatMap((access) => {
    const outside = access.resources.filter((each) => clusterResources.has(each));
    const inside = access.resources.filter((each) => !clusterResources.has(each));
    const parts = [
      { ...access, resources: inside },
      { ...access, resources: outside, where: "cluster" as const },
    ];
    return parts.filter(({ resources, where }) => resources.length > 0 && where === scope);
  });
}

function buildRule({ group: apiGroup, resources, verbs, names }: NeededAccess): object {
  return { apiGroups: [apiGroup], resources, ...(names === undefined ? {} : { resourceNames: names }), verbs };
}

/** Adds Releases to what `view`, `edit` and `admin` of a namespace let people do there. */
function buildPeopleRole(name: string, verbs: readonly string[], roles: readonly string[]): DeployObject {
  const aggregated = Object.fromEntries(roles.map((each) => [`${group}/aggregate-to-${each}`, "true"]));
  return {
    file,
    comment: `Who has ${roles.join(" or ")} in a namespace may also ${verbs.includes("get") ? "see" : "write"} its Releases.`,
    object: {
      apiVersion: `${group}/v1`,
      kind: "ClusterRole",
      metadata: { name, labels: { ...labels, ...aggregated } },
      rules: [{ apiGroups: ["kirikae.dev"], resources: ["releases"], verbs }],
    },
  };
}
