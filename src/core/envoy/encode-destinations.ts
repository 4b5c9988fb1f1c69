import { toBinary } from "@bufbuild/protobuf";
import { ClusterSchema } from "../../gen/envoy/config/cluster/v3/cluster_pb.ts";
import { ClusterLoadAssignmentSchema } from "../../gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import type { Destination } from "../routes/route-table.ts";
import { emitCluster } from "./clusters.ts";
import { emitEndpoints, type LocalEndpoints, type LocalReplica } from "./endpoints.ts";

interface Encoded {
  /** What was asked, and what the answer was. */
  readonly read: ReadonlyMap<string, readonly LocalReplica[]>;
  readonly bytes: Uint8Array;
}

type Encode = (destination: Destination, local: LocalEndpoints) => Uint8Array;

/** The cluster of a destination; made anew only where replicas that it carries itself listen elsewhere now. */
export const encodeCluster: Encode = remember((destination, local) =>
  toBinary(ClusterSchema, emitCluster(destination, local)),
);

/** The endpoints of a destination, made anew only where its replicas listen elsewhere now. */
export const encodeEndpointsOf: Encode = remember((destination, local) =>
  toBinary(ClusterLoadAssignmentSchema, emitEndpoints(destination, local)),
);

/** Whether bytes of the destination can change while it stays the same. */
export function dependsOnReplicas({ endpoints }: Destination): boolean {
  return endpoints.some(({ kind }) => kind === "localWorkload");
}

/** Destinations are immutable, so that bytes hold for as long as the replicas that were asked about stay where they are. */
function remember(encode: Encode): Encode {
  const known = new WeakMap<Destination, Encoded>();
  return (destination, local) => {
    const before = known.get(destination);
    if (before !== undefined && holds(before, local)) return before.bytes;
    const read = new Map<string, readonly LocalReplica[]>();
    const bytes = encode(destination, (name) => {
      const answer = local(name);
      read.set(name, answer);
      return answer;
    });
    known.set(destination, { read, bytes });
    return bytes;
  };
}

function holds({ read }: Encoded, local: LocalEndpoints): boolean {
  for (const [name, answer] of read) if (!isSameList(answer, local(name))) return false;
  return true;
}

function isSameList(one: readonly LocalReplica[], other: readonly LocalReplica[]): boolean {
  return (
    one.length === other.length &&
    one.every(({ address, port, replica, isUnready }, index) => {
      const same = other[index];
      if (same?.address !== address || same.port !== port) return false;
      return same.replica === replica && same.isUnready === isUnready;
    })
  );
}
