import type { ReleaseRoute, ReleaseSpec, SubsetChange } from "../../manifest/release.ts";
import { type Refusal, refuseInput, renderList } from "../move/refusals.ts";
import { qualifyName } from "../../routes/site-names.ts";

/**
 * The spec with everything that it names on every cluster that it moves. Where there is one cluster, names stay as they
 * are. Refused where it asks for clusters that are not at hand (KIR2064, KIR2065), and on a mesh of folders (contexts
 * undefined) for what only a cluster has (KIR2060).
 */
export function expandSites(
  spec: ReleaseSpec,
  contexts: readonly string[] | undefined,
): { readonly kind: "expanded"; readonly spec: ReleaseSpec } | Refusal {
  if (contexts === undefined) return refuseLocally(spec) ?? { kind: "expanded", spec };
  const wanted = spec.sites?.contexts ?? (contexts.length === 1 ? contexts : undefined);
  if (wanted === undefined) {
    return refuseInput(
      "KIR2065",
      `This kirikae has ${renderList(contexts)}, and the Release does not say which it moves.`,
      {
        hint: "Say it: `sites: {contexts: [...], order: oneAfterTheOther}`.",
      },
    );
  }
  const absent = wanted.filter((context) => !contexts.includes(context));
  if (absent.length > 0) {
    return refuseInput(
      "KIR2064",
      `The Release moves ${renderList(absent)}, and this kirikae has ${renderList(contexts)}.`,
      {
        hint: "Name each of them when you start it: `kirikae up --context A --context B`.",
      },
    );
  }
  if (contexts.length === 1) return { kind: "expanded", spec };
  const { subsets } = spec;
  const everywhere = {
    ...spec,
    routes: wanted.flatMap((context) => spec.routes.map((route) => qualifyRoute(context, route))),
    ...(subsets !== undefined && {
      subsets: wanted.flatMap((context) => subsets.map((change) => qualifyChange(context, change))),
    }),
  };
  return { kind: "expanded", spec: everywhere };
}

function qualifyRoute(context: string, route: ReleaseRoute): ReleaseRoute {
  const { namespace, delegate } = route;
  return {
    ...route,
    namespace: qualifyName(context, namespace),
    ...(delegate !== undefined && { delegate: qualifyName(context, delegate) }),
  };
}

function qualifyChange(context: string, change: SubsetChange): SubsetChange {
  return { ...change, namespace: qualifyName(context, change.namespace) };
}

/** A Release of a cluster must not seem to do on a laptop what it does not do there. */
function refuseLocally({ takeOver, proof, whenDeleted, subsets, sites }: ReleaseSpec): Refusal | undefined {
  const given = [
    ...(takeOver === undefined ? [] : ["takeOver"]),
    ...(proof?.unreachable === "goOn" ? ["proof.unreachable: goOn"] : []),
    ...(whenDeleted === undefined ? [] : ["whenDeleted"]),
    ...(subsets === undefined ? [] : ["subsets"]),
    ...(sites === undefined ? [] : ["sites"]),
  ];
  if (given.length === 0) return undefined;
  return refuseInput(
    "KIR2060",
    `${renderList(given)} of a Release ${given.length === 1 ? "is" : "are"} for a cluster, and this is a mesh of files.`,
    {
      hint: "Leave it out here, or start the Release with `--context`: what is live here is what the manifests say.",
    },
  );
}
