import type { KubeApi } from "../../kubernetes/kube-api.ts";
import { neededAccess, type NeededAccess } from "../../kubernetes/needed-access.ts";
import type { SiteConnection } from "./connect-site.ts";
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

/** Each right that moving traffic needs, asked of the API server (SelfSubjectAccessReview). */
export async function examineRights(
  { api, options }: SiteConnection,
  { namespace }: RightsScope,
): Promise<readonly SiteFinding[]> {
  const { istioNamespace } = options;
  return await Promise.all(
    personalAccess.map((access) => examineRight(api, access, access.where === "istio" ? istioNamespace : namespace)),
  );
}

async function examineRight(api: KubeApi, access: NeededAccess, namespace: string | undefined): Promise<SiteFinding> {
  const { group, resources, verbs, reason } = access;
  const where = namespace === undefined ? "all namespaces" : namespace;
  const name = `right to ${verbs.join(", ")} ${resources.join(", ")} in ${where}`;
  const missing = await listMissing(api, access, namespace);
  if (missing.length === 0) return ok(name, reason);
  const lacking = `no right to ${missing.map(({ verb, resource }) => `${verb} ${resource}`).join(", ")}`;
  const groupHint = group === "" ? "" : ` (API group ${group})`;
  const hint = `It is for ${reason}${groupHint}; \`kirikae doctor --context NAME --rbac\` prints a role with it.`;
  return isNeeded(access) ? fail(name, lacking, hint) : warn(name, lacking, hint);
}

/** Routes and writing them; all else only leaves something unseen, and is said then. */
function isNeeded({ for: use, resources }: NeededAccess): boolean {
  return use === "move" || resources.includes("virtualservices");
}

async function listMissing(
  api: KubeApi,
  { group, resources, verbs }: NeededAccess,
  namespace: string | undefined,
): Promise<readonly { readonly verb: string; readonly resource: string }[]> {
  const pairs = resources.flatMap((resource) => verbs.map((verb) => ({ verb, resource })));
  const answers = await Promise.all(pairs.map((pair) => api.canI({ ...pair, group, namespace })));
  return pairs.filter((_, index) => answers[index] !== true);
}
