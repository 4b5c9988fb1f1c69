import { generateKeyPairSync, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ChildProgram, startProgram } from "./child-program.ts";
import { KubeClient } from "./kube-client.ts";

export interface KubeApiServer extends AsyncDisposable {
  readonly client: KubeClient;
  /** A file for programs that read their cluster from one. */
  readonly kubeconfig: string;
}

/** The real API server on loopback, with an administrator's token and nothing that acts on what is stored. */
export async function startKubeApiServer(options: {
  readonly path: string;
  readonly folder: string;
  readonly etcdUrl: string;
  readonly port: number;
}): Promise<KubeApiServer> {
  const { folder, port } = options;
  const token = randomBytes(16).toString("hex");
  const tokens = join(folder, "tokens.csv");
  await writeFile(tokens, `${token},admin,admin,"system:masters"\n`, { mode: 0o600 });
  const key = join(folder, "service-accounts.pem");
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await writeFile(key, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  const program: ChildProgram = startProgram({
    path: options.path,
    log: join(folder, "apiserver.log"),
    args: [
      `--etcd-servers=${options.etcdUrl}`,
      "--bind-address=127.0.0.1",
      "--advertise-address=127.0.0.1",
      `--secure-port=${port}`,
      `--cert-dir=${join(folder, "certificates")}`,
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-key-file=${key}`,
      `--service-account-signing-key-file=${key}`,
      "--api-audiences=https://kubernetes.default.svc,istio-ca",
      "--service-cluster-ip-range=10.0.0.0/24",
      `--token-auth-file=${tokens}`,
      "--authorization-mode=RBAC",
      "--disable-admission-plugins=ServiceAccount",
    ],
  });
  await using stack = new AsyncDisposableStack();
  stack.use(program);
  const client = stack.use(new KubeClient({ port, token }));
  await program.whenReady(async () => (await client.get("/readyz")) === "ok", 60_000);
  const kubeconfig = join(folder, "kubeconfig.json");
  await writeFile(kubeconfig, JSON.stringify(buildKubeconfig(port, token)), { mode: 0o600 });
  const running = stack.move();
  return { client, kubeconfig, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

function buildKubeconfig(port: number, token: string): object {
  return {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "test",
    contexts: [{ name: "test", context: { cluster: "test", user: "admin" } }],
    clusters: [{ name: "test", cluster: { server: `https://127.0.0.1:${port}`, "insecure-skip-tls-verify": true } }],
    users: [{ name: "admin", user: { token } }],
  };
}
