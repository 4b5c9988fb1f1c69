import type { KubeApi } from "../../../kubernetes/kube-api.ts";
import { clusterResources, neededAccess, type NeededAccess } from "../../../kubernetes/needed-access.ts";
import type { SiteConnection } from "../connection/connect-site.ts";
import { findGatewayPlaces } from "../objects/gateway-places.ts";
import { fail, ok, type SiteFinding, warn } from "./site-finding.ts";

/** Where the rights have to be. */
export interface RightsScope {
  /** Undefined asks for all namespaces. */
  readonly namespace: string | undefined;
}

/** What a person who moves traffic needs; the others are for what runs in a cluster. */
export const personalAccess: readonly NeededAccess[] = neededAccess.filter(
  ({ for: use }) => use === "read" || use === "move" || use === "prove",
);

/** What somebody with rights in single namespaces needs where the Gateways of their routes are. */
export const gatewayAccess: readonly NeededAccess[] = [
  {
    group: "networking.istio.io",
    resources: ["gateways"],
    verbs: ["get", "list", "watch"],
    where: "routes",
    for: "move",
    reason: "the Gateways that the routes name",
  },
  ...personalAccess.filter(({ for: use, resources }) => use === "prove" || resources.includes("pods")),
];

/** Each right that moving traffic needs, asked of the API server (SelfSubjectAccessReview). */
export async function examineRights(
  { api, options }: SiteConnection,
  { namespace }: RightsScope,
): Promise<readonly SiteFinding[]> {
  const { istioNamespace } = options;
  const places = await findGatewayPlaces(api, namespace);
  const needed = [
    ...personalAccess.map((access) => ({ access, place: access.where === "istio" ? istioNamespace : namespace })),
    ...places.flatMap((place) => gatewayAccess.map((access) => ({ access, place }))),
  ];
  return await Promise.all(needed.map(({ access, place }) => examineRight(api, access, place)));
}

/** A Role grants nothing on what lives in no namespace. */
export function resourcesIn(namespace: string | undefined, { resources }: NeededAccess): readonly string[] {
  return namespace === undefined ? resources : resources.filter((resource) => !clusterResources.has(resource));
}

async function examineRight(api: KubeApi, access: NeededAccess, namespace: string | undefined): Promise<SiteFinding> {
  const { group, verbs, reason } = access;
  const resources = resourcesIn(namespace, access);
  const where = namespace === undefined ? "all namespaces" : namespace;
  const name = `right to ${verbs.join(", ")} ${resources.join(", ")} in ${where}`;
  const missing = await listMissing(api, { ...access, resources }, namespace);
  if (missing.length === 0) return ok(name, reason);
  const lacking = `no right to ${missing.map(({ verb, resource }) => `${verb} ${resource}`).join(", ")}`;
  const groupHint = group === "" ? "" : ` (API group ${group})`;
  const asked = namespace === undefined ? "" : " -n NAMESPACE";
  const hint = `It is for ${reason}${groupHint}; \`kirikae doctor --context NAME${asked} --rbac\` prints a role with it.`;
  return isNeeded(access) ? fail(name, lacking, hint) : warn(name, lacking, hint);
}

/** Routes and writing them; all else only leaves something unseen, and is said then. */
function isNeeded({ for: use, resources }: NeededAccess): boolean {
  return use === "move" || resources.includes("virtualservices");
}

async function listMissing(
  api: KubeApi,
  { group, resources, verbs, names }: NeededAccess,
  namespace: string | undefined,
): Promise<readonly { readonly verb: string; readonly resource: string }[]> {
  const pairs = resources.flatMap((resource) =>
    verbs.flatMap((verb) => (names ?? [undefined]).map((name) => ({ verb, resource, name }))),
  );
  const answers = await Promise.all(pairs.map((pair) => api.canI({ ...pair, group, namespace })));
  return pairs.filter((_, index) => answers[index] !== true);
}
