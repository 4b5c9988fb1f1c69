import { KirikaeError } from "../core/diagnostics/error.ts";
import type { Mesh } from "../core/mesh/mesh.ts";
import { connect } from "./connect.ts";

/** Where the replicas of each local workload (`namespace/name`) listen, as `host:port`. */
export type KnownAddresses = ReadonlyMap<string, readonly string[]>;

/** Fixed addresses come from the manifests; those of started replicas are known only to a running `up`. */
export async function findAddresses(mesh: Mesh, env: NodeJS.ProcessEnv): Promise<KnownAddresses> {
  const workloads = [...mesh.localWorkloads].map(([name, { spec }]) => {
    const addresses = spec.source.kind === "addresses" ? spec.source.addresses : [];
    return [name, addresses.map(({ host, port }) => `${host}:${port}`)] as const;
  });
  const fixed = workloads.filter(([, addresses]) => addresses.length > 0);
  if (fixed.length === workloads.length) return new Map(fixed);
  return new Map([...(await readRunningAddresses(env)), ...fixed]);
}

async function readRunningAddresses(
  env: NodeJS.ProcessEnv,
): Promise<readonly (readonly [name: string, addresses: readonly string[]])[]> {
  try {
    const { workloads } = await (await connect(env)).status();
    return workloads.map(({ name, replicas }) => [name, replicas.map((replica) => replica.address)]);
  } catch (error) {
    // Without a running `up` there are no replicas.
    if (error instanceof KirikaeError && (error.code === "KIR5050" || error.code === "KIR5059")) return [];
    throw error;
  }
}
