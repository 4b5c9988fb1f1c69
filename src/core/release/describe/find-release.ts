import { KirikaeError } from "../../diagnostics/error.ts";
import { isCalled } from "../move/is-called.ts";
import { renderList } from "../move/refusals.ts";

export interface ReleaseName {
  /** `namespace/name`, or the name alone. */
  readonly name: string;
  readonly namespace?: string | undefined;
}

/**
 * The newest release of that name among those given oldest first. Throws KIR2035 with the list of those that were
 * started, and KIR2036 where several namespaces have one, because taking back the wrong one is not what anybody asked for.
 */
export function findRelease<Release>(
  releases: readonly Release[],
  { name, namespace }: ReleaseName,
  nameOf: (release: Release) => string,
): Release {
  const named = releases.filter((each) => {
    const fullName = nameOf(each);
    return isCalled(fullName, name) && (namespace === undefined || fullName.startsWith(`${namespace}/`));
  });
  const meant = [...new Set(named.map(nameOf))];
  if (meant.length > 1) {
    throw new KirikaeError("KIR2036", `${name} could mean ${renderList(meant)}.`, {
      exitStatus: 2,
      hint: "Say which with -n NAMESPACE.",
      details: { candidates: meant },
    });
  }
  const newest = named.at(-1);
  if (newest !== undefined) return newest;
  const known = [...new Set(releases.map(nameOf))];
  throw new KirikaeError("KIR2035", `No release named ${name} was started.`, {
    exitStatus: 2,
    hint: known.length === 0 ? "`kirikae start FILE` starts one." : `There are ${renderList(known)}.`,
    details: { known },
  });
}
