import { readFile } from "node:fs/promises";
import { controlPlaneCluster } from "../src/core/envoy/names.ts";
import { AdminClient } from "../src/local/admin-client.ts";
import { locateStateFolder } from "../src/local/state-folder.ts";

/** What only the running Envoy can tell about itself. */
export interface EnvoyProbe {
  /** Bytes that it has received from the control plane since it started. */
  receivedBytes(): Promise<number>;
  readonly pid: number;
}

/** Asks the Envoy of a state folder through the admin socket that its bootstrap names. */
export async function probeEnvoy(stateFolder: string, pid: number): Promise<EnvoyProbe> {
  const { bootstrap } = locateStateFolder({ KIRIKAE_STATE: stateFolder });
  const text = await readFile(bootstrap, "utf8");
  const socket: unknown = JSON.parse(text)?.admin?.address?.pipe?.path;
  if (typeof socket !== "string") throw new Error(`${bootstrap} names no admin socket.`);
  const admin = new AdminClient(socket);
  return {
    pid,
    async receivedBytes() {
      const name = `cluster.${controlPlaneCluster}.upstream_cx_rx_bytes_total`;
      const { body } = await admin.get(`/stats?filter=${encodeURIComponent(`^${name}$`)}`);
      const value = Number(body.split(": ")[1]);
      if (Number.isNaN(value)) throw new Error(`Envoy has no counter ${name}.`);
      return value;
    },
  };
}
