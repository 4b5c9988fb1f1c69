import type { RouteTable, SplitId } from "../routes/route-table.ts";

/** Where rules are written, both `namespace/name`. */
export interface WrittenObject {
  readonly split: SplitId;
  /** The VirtualService with the hosts. */
  readonly virtualService: string;
  /** The same, or the delegate that it hands them over to. */
  readonly writtenIn: string;
}

/** The VirtualServices that have to be written so that these splits have other weights or additions. */
export function findWrittenObjects(
  { httpRoutings }: Pick<RouteTable, "httpRoutings">,
  splits: ReadonlySet<SplitId>,
): readonly WrittenObject[] {
  const found = new Map<string, WrittenObject>();
  for (const { virtualHosts } of httpRoutings) {
    for (const { action, origin } of virtualHosts.flatMap(({ routes }) => routes)) {
      if (action.kind !== "forward" || !splits.has(action.split.id)) continue;
      const { virtualService, delegate: writtenIn = virtualService } = origin;
      const split = action.split.id;
      found.set(`${split} ${writtenIn}`, { split, virtualService, writtenIn });
    }
  }
  return [...found.values()];
}

/**
 * The first that is written in another namespace. Anybody may hand rules of theirs over to a delegate of others, whose
 * rules these stay: Istio asks only for its `exportTo`.
 */
export function findWrittenElsewhere(objects: readonly WrittenObject[]): WrittenObject | undefined {
  return objects.find(({ virtualService, writtenIn }) => namespaceOf(virtualService) !== namespaceOf(writtenIn));
}

function namespaceOf(name: string): string {
  return name.slice(0, name.indexOf("/"));
}
