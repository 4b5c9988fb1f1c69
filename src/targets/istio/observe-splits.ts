import { KirikaeError } from "../../core/diagnostics/error.ts";
import { isSameShare } from "../../core/release/move/split-weights.ts";
import type { RouteTable, SplitId, SplitWeights } from "../../core/routes/route-table.ts";
import { splitsOf, weightsOf } from "../../core/routes/weights.ts";
import { type DumpedSplit, readDumpedSplits } from "../../core/site/read-dumped-splits.ts";
import type { ObservedSplit } from "../../engine/ports.ts";
import { readControlPlane } from "./control-plane.ts";
import { findRefusals } from "./find-refusals.ts";
import { readServing } from "./listed-strangers.ts";
import { findServices } from "./needed-proxies.ts";
import { createProxyAdmin } from "./proxy-admin.ts";
import type { ProofParts } from "./baseline.ts";
import { readRouteView } from "./route-evidence.ts";
import type { SiteView } from "./site-view.ts";

export interface ObserveQuestion {
  readonly splits: readonly SplitId[];
  /** Ids of proxies that a way back has passed over, and named: as long as they refuse their routes they show old ones. */
  readonly without: ReadonlySet<string>;
}

/**
 * Reads from every proxy that has them what it does, and from istiod only where no proxy can be asked. Where proxies
 * differ, the one that differs from the table is told, because it is the one that somebody has to know of.
 */
export async function observeSplits(
  parts: ProofParts & { readonly view: SiteView },
  { splits, without }: ObserveQuestion,
): Promise<readonly ObservedSplit[]> {
  const { table } = parts.view;
  const { serving, controlPlane } = await readServing(parts, findServices(table, new Set(splits)));
  const refusing = new Set(findRefusals(controlPlane, [...without]).map(({ proxy }) => proxy));
  const needed = serving.filter(({ id }) => !refusing.has(id));
  const read = (dump: unknown) => readDumpedSplits(dump, { table, splits });
  const own = await Promise.all(
    needed.map((proxy) =>
      answerOf(async () => {
        const admin = createProxyAdmin(parts.reach, proxy);
        // Small and soon: one that does not answer it is not waited for.
        await admin.stampRoutes();
        return read(await admin.dumpRoutes());
      }),
    ),
  );
  const seen = own.filter((each) => each !== undefined);
  if (seen.some(isConcerned)) return agree(splits, seen, table);
  const { proxies } = await readControlPlane(await parts.istiods());
  const ids = needed.length > 0 ? needed.map(({ id }) => id) : [...proxies.keys()];
  const views = await Promise.all(
    ids.flatMap((id) => {
      const listed = proxies.get(id);
      return listed === undefined ? [] : [answerOf(async () => read(await readRouteView(listed.istiod, id)))];
    }),
  );
  return agree(
    splits,
    views.filter((each) => each !== undefined),
    table,
  );
}

type Seen = ReadonlyMap<SplitId, DumpedSplit>;

async function answerOf<Answer>(ask: () => Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof KirikaeError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isConcerned(seen: Seen): boolean {
  return [...seen.values()].some((live) => live !== "absent");
}

function agree(splits: readonly SplitId[], all: readonly Seen[], table: RouteTable): readonly ObservedSplit[] {
  const declared = splitsOf(table);
  return splits.map((split) => {
    const told = all.map((seen) => seen.get(split)).filter((live) => live !== undefined && live !== "absent");
    const of = declared.get(split);
    return { split, weights: oddOne(told, of === undefined ? undefined : weightsOf(of)) };
  });
}

/** Undefined where nobody knows it, or somebody has rules that cannot be read. */
function oddOne(
  told: readonly (SplitWeights | "unreadable")[],
  declared: SplitWeights | undefined,
): SplitWeights | undefined {
  if (told.includes("unreadable")) return undefined;
  const weights = told.filter((live) => live !== "unreadable");
  return weights.find((live) => declared === undefined || !isSameShare(live, declared)) ?? weights[0];
}
