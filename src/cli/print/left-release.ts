import type { SiteOptions } from "../../app/site/connection/site-options.ts";

type Sites = readonly Pick<SiteOptions, "context">[];

/** Of a release that was carried out in the foreground and has not ended: who goes on with it. */
export function tellOfLeft(release: string, sites: Sites): string {
  const flags = flagsOf(sites);
  return `${release} stays where it is; \`kirikae up ${flags}\` goes on with it, and so does ${commandOf("resume", release, sites)}.`;
}

/** The same of one that has failed, which keeps its routes until it has ended. */
export function tellOfFailed(release: string, sites: Sites): string {
  const retry = commandOf("retry", release, sites);
  return `${release} keeps its routes until it has ended: ${retry}, or \`abort\`, or \`rollback --release\` in the place of \`retry\`.`;
}

/** The same of one that waits for a person. */
export function tellOfWaiting(release: string, sites: Sites): string {
  return `Nobody carries ${release} out now; tell it what to do in the same way, or start \`kirikae up ${flagsOf(sites)}\`.`;
}

/** The same of one that would go on by itself. */
export function tellOfIdle(release: string, sites: Sites): string {
  return `Nobody carries ${release} out now; ${commandOf("resume", release, sites)} or \`kirikae up ${flagsOf(sites)}\` does.`;
}

function flagsOf(sites: Sites): string {
  return sites.map(({ context }) => `--context ${context}`).join(" ");
}

function commandOf(order: string, release: string, sites: Sites): string {
  const [namespace = "", name = ""] = release.split("/");
  return `\`kirikae ${flagsOf(sites)} ${order} ${name} -n ${namespace}\``;
}
