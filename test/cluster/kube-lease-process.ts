import { connectKube } from "../../src/kubernetes/connect-kube.ts";
import { Leadership } from "../../src/kubernetes/lease.ts";

/** Stands for election until it is killed, and says so when it leads. */
const [kubeconfig = "", namespace = "", name = "", identity = "", leaseMs = ""] = process.argv.slice(2);
const api = await connectKube({ kubeconfig, env: {} });
Leadership.start({
  api,
  lease: { namespace, name },
  identity,
  leaseMs: Number(leaseMs),
  retryMs: 200,
  onLead: () => void process.stdout.write("leads\n"),
});
