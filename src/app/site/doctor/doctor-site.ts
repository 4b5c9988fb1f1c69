import { connectSite } from "../connection/connect-site.ts";
import { findGatewayPlaces } from "../objects/gateway-places.ts";
import { renderRbac } from "./render-rbac.ts";
import type { RightsScope } from "./examine-rights.ts";
import { examineSite } from "./examine-site.ts";
import type { SiteFinding } from "./site-finding.ts";
import type { SiteOptions } from "../connection/site-options.ts";

/** @throws KirikaeError as `connectSite` does; what the cluster refuses is a finding */
export async function doctorSite(
  site: SiteOptions,
  scope: RightsScope,
  env: NodeJS.ProcessEnv,
): Promise<readonly SiteFinding[]> {
  await using stack = new AsyncDisposableStack();
  return await examineSite(await connectSite(site, env, stack), scope);
}

/**
 * The roles that moving traffic needs, as YAML. For one namespace its routes are read, as far as they may be, because
 * their Gateways may be of others.
 * @throws KirikaeError as `connectSite` does
 */
export async function doctorRbac(
  site: SiteOptions,
  { namespace }: RightsScope,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  await using stack = new AsyncDisposableStack();
  const { api } = await connectSite(site, env, stack);
  const gatewayNamespaces = await findGatewayPlaces(api, namespace);
  return renderRbac({ namespace, istioNamespace: site.istioNamespace, gatewayNamespaces });
}
