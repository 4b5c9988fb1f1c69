import { errorText } from "../../../core/diagnostics/error-text.ts";
import { kubeKinds } from "../../../kubernetes/kube-kinds.ts";
import { readControlPlane } from "../../../targets/istio/control-plane.ts";
import { isNoAnswer } from "../../../targets/istio/is-no-answer.ts";
import type { SiteConnection } from "../connection/connect-site.ts";
import { findIstiods } from "../connection/find-istiods.ts";
import { examineRights, type RightsScope } from "./examine-rights.ts";
import { fail, ok, type SiteFinding, warn } from "./site-finding.ts";

/** More proxies than this are not asked one by one. */
const mostProxies = 20;
const proxyTimeoutMs = 3_000;
const adminPort = 15_000;

/**
 * Looks at everything that moving traffic in this cluster needs: the API server, Istio, the ways to istiod and to the
 * proxies, and the rights. Changes nothing. What cannot be asked is a finding and no rejection.
 */
export async function examineSite(connection: SiteConnection, scope: RightsScope): Promise<readonly SiteFinding[]> {
  const server = await examineServer(connection);
  if (server.verdict === "fail") return [server];
  const [istio, controlPlane, rights] = await Promise.all([
    examineIstio(connection),
    examineControlPlane(connection),
    examineRights(connection, scope),
  ]);
  return [server, istio, ...controlPlane, ...rights];
}

async function examineServer({ api, options }: SiteConnection): Promise<SiteFinding> {
  const name = "API server";
  try {
    const version: unknown = JSON.parse(await api.getText("/version"));
    const text = typeof version === "object" && version !== null && "gitVersion" in version ? version.gitVersion : "";
    return ok(name, `${String(text)}, context ${options.context}`);
  } catch (error) {
    if (!isNoAnswer(error)) throw error;
    return fail(name, errorText(error), "Try `kubectl --context NAME version`; it has to answer too.");
  }
}

async function examineIstio({ api }: SiteConnection): Promise<SiteFinding> {
  const name = "Istio";
  const kinds = [kubeKinds.virtualService, kubeKinds.destinationRule];
  const served = await Promise.all(kinds.map((kind) => api.serves(kind)));
  const missing = kinds.filter((_, index) => served[index] !== true).map(({ kind }) => kind);
  if (missing.length === 0) return ok(name, "networking.istio.io/v1 is served");
  return fail(
    name,
    `networking.istio.io/v1 has no ${missing.join(" and no ")}`,
    "Istio 1.22 or newer has to be installed.",
  );
}

/** The replicas of istiod, and through them the proxies. */
async function examineControlPlane(connection: SiteConnection): Promise<readonly SiteFinding[]> {
  const name = "istiod";
  const how = connection.options.istiods.length > 0 ? "at --istiod" : "through the API server";
  const places = await findIstiods(connection);
  if (typeof places === "string") return [fail(name, places, "Name its debug port with --istiod URL.")];
  if (places.length === 0) {
    const where = connection.options.istioNamespace;
    return [fail(name, `no ready pod app=istiod in ${where}`, "Name another namespace with --istio-namespace.")];
  }
  const { proxies, answered, silent } = await readControlPlane(places);
  const verb = answered.length === 1 ? "answers" : "answer";
  const connected = `${proxies.size} ${proxies.size === 1 ? "proxy" : "proxies"} connected`;
  const found = answered.length === 0 ? [] : [ok(name, `${namesOf(answered)} ${verb} ${how}, ${connected}`)];
  const missing = [...silent].map(([place, why]) =>
    fail(
      name,
      `${place} does not answer: ${why}`,
      "Grant pods/portforward there, or name its debug port with --istiod.",
    ),
  );
  return [...found, ...missing, ...(await examineProxies(connection, [...proxies.keys()]))];
}

/** Whom istiod speaks for is proved by istiod where it cannot be asked itself, so that this stops nothing. */
async function examineProxies({ reach }: SiteConnection, ids: readonly string[]): Promise<readonly SiteFinding[]> {
  if (ids.length === 0) return [];
  const asked = ids.slice(0, mostProxies);
  const answers = await Promise.all(
    asked.map(async (id) => {
      const dot = id.lastIndexOf(".");
      const pod = { name: id.slice(0, dot), namespace: id.slice(dot + 1) };
      try {
        await reach.get({ pod, port: adminPort }, "/ready", { timeoutMs: proxyTimeoutMs });
        return undefined;
      } catch (error) {
        if (!isNoAnswer(error)) throw error;
        return `${id}: ${errorText(error)}`;
      }
    }),
  );
  const silent = answers.filter((each) => each !== undefined);
  const reached = asked.length - silent.length;
  const rest = ids.length > asked.length ? `, ${ids.length - asked.length} more were not asked` : "";
  const detail = `${reached} of ${asked.length} answer at their admin port${rest}`;
  if (silent.length === 0) return [ok("proxies", detail)];
  const hint = "Moves are proved by what istiod says of these; --proxy-admin, or pods/portforward, lets them be asked.";
  return [warn("proxies", `${detail}; ${silent[0] ?? ""}`, hint)];
}

function namesOf(places: readonly { readonly name: string }[]): string {
  return places.map(({ name }) => name).join(", ");
}
