import type { Destination, DestinationId } from "./route-table.ts";

/** Says to an app that a request is a copy, whose answer no client waits for; its value is the release. */
export const copyHeader = "x-kirikae-copy";

/** Says to kirikae which rule a copy was taken from; it is not sent on. */
export const splitHeader = "x-kirikae-split";

/** The name of a destination's copy: whatever a proxy counts there is in no public number of the version. */
export function copiedId(id: DestinationId): DestinationId {
  return `copies|${id}`;
}

/** The same place by a name of its own, with connections and limits of its own. */
export function copyDestination(destination: Destination): Destination {
  return { ...destination, id: copiedId(destination.id) };
}
