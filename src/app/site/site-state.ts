import { join } from "node:path";
import { locateStateFolder } from "../../local/state-folder.ts";

/**
 * The environment in which the state folder is that of a context: `<state folder>/sites/<context>`. Journals, locks and
 * running APIs of two clusters never meet, nor do they meet those of this machine.
 */
export function siteEnvironment(env: NodeJS.ProcessEnv, context: string): NodeJS.ProcessEnv {
  return { ...env, KIRIKAE_STATE: join(locateStateFolder(env).path, "sites", folderOf(context)) };
}

/** Contexts of clouds hold slashes and colons, and nothing but a name may come out of one. */
function folderOf(context: string): string {
  return encodeURIComponent(context).replaceAll(/^\.+/gu, (dots) => "%2E".repeat(dots.length));
}
