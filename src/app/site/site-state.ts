import { join } from "node:path";
import { locateStateFolder } from "../../local/state-folder.ts";

/**
 * The environment in which the state folder is that of a context, or of several that are moved together:
 * `<state folder>/sites/<context>+<context>`. Journals, locks and running APIs of two clusters never meet, nor do they
 * meet those of this machine.
 */
export function siteEnvironment(env: NodeJS.ProcessEnv, ...contexts: readonly string[]): NodeJS.ProcessEnv {
  const folder = contexts.map(folderOf).join("+");
  return { ...env, KIRIKAE_STATE: join(locateStateFolder(env).path, "sites", folder) };
}

/** Contexts of clouds hold slashes and colons, and nothing but a name may come out of one. */
function folderOf(context: string): string {
  return encodeURIComponent(context).replaceAll(/^\.+/gu, (dots) => "%2E".repeat(dots.length));
}
