import { connectSite } from "./connect-site.ts";
import type { RightsScope } from "./examine-rights.ts";
import { examineSite } from "./examine-site.ts";
import type { SiteFinding } from "./site-finding.ts";
import type { SiteOptions } from "./site-options.ts";

/** @throws KirikaeError as `connectSite` does; what the cluster refuses is a finding */
export async function doctorSite(
  site: SiteOptions,
  scope: RightsScope,
  env: NodeJS.ProcessEnv,
): Promise<readonly SiteFinding[]> {
  await using stack = new AsyncDisposableStack();
  return await examineSite(await connectSite(site, env, stack), scope);
}
