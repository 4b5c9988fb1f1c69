import { generateKeyPairSync, randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { KubeClient } from "./kube-client.ts";
import type { NetworkPlace } from "./network-place.ts";
import { ServiceProgram } from "./service-program.ts";

/** Who can ask: the first may do everything, the others what RBAC gives them, which is nothing at first. */
const kubeUsers = ["admin", "releaser", "reader", "nobody"] as const;
export type KubeUser = (typeof kubeUsers)[number];

export interface KubeApiServer {
  readonly program: ServiceProgram;
  readonly client: KubeClient;
  /** A file for programs that read their cluster from one, with a context of each user's name; `admin` is current. */
  readonly kubeconfig: string;
}

export interface KubeApiServerOptions {
  readonly path: string;
  readonly folder: string;
  readonly etcdUrl: string;
  readonly place: NetworkPlace;
  readonly port: number;
}

/** The real API server, with nothing that acts on what is stored. The client ends with the program that owns it. */
export async function startKubeApiServer(options: KubeApiServerOptions): Promise<KubeApiServer> {
  const { folder, port, place } = options;
  const tokens = new Map(kubeUsers.map((user) => [user, randomBytes(16).toString("hex")]));
  await writeFile(join(folder, "tokens.csv"), renderTokens(tokens), { mode: 0o600 });
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const key = join(folder, "service-accounts.pem");
  await writeFile(key, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  const client = new KubeClient({ host: place.host, port, token: tokens.get("admin") ?? "" });
  const program = await ServiceProgram.start({
    path: options.path,
    enter: place.enter,
    log: join(folder, "apiserver.log"),
    args: buildArguments(options, key),
    probe: async () => (await client.get("/readyz")) === "ok",
    readyWithinMs: 60_000,
  });
  const certificate = await readFile(join(folder, "certificates", "apiserver.crt"));
  const kubeconfig = join(folder, "kubeconfig.json");
  const text = JSON.stringify(buildKubeconfig({ server: `https://${place.host}:${port}`, certificate, tokens }));
  await writeFile(kubeconfig, text, { mode: 0o600 });
  return { program, client, kubeconfig };
}

function buildArguments({ folder, etcdUrl, place, port }: KubeApiServerOptions, key: string): readonly string[] {
  return [
    `--etcd-servers=${etcdUrl}`,
    `--bind-address=${place.host}`,
    `--advertise-address=${place.host}`,
    `--secure-port=${port}`,
    `--cert-dir=${join(folder, "certificates")}`,
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    "--api-audiences=https://kubernetes.default.svc,istio-ca",
    "--service-cluster-ip-range=10.0.0.0/24",
    `--token-auth-file=${join(folder, "tokens.csv")}`,
    "--authorization-mode=RBAC",
    "--disable-admission-plugins=ServiceAccount",
    "--kubelet-preferred-address-types=InternalIP",
  ];
}

/** The first may do everything. */
function renderTokens(tokens: ReadonlyMap<KubeUser, string>): string {
  const lines = [...tokens].map(
    ([user, token]) => `${token},${user},${user},"${user === "admin" ? "system:masters" : "kirikae-test"}"`,
  );
  return `${lines.join("\n")}\n`;
}

interface KubeconfigParts {
  readonly server: string;
  readonly certificate: Buffer;
  readonly tokens: ReadonlyMap<KubeUser, string>;
}

function buildKubeconfig({ server, certificate, tokens }: KubeconfigParts): object {
  return {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "admin",
    contexts: kubeUsers.map((user) => ({ name: user, context: { cluster: "test", user } })),
    clusters: [{ name: "test", cluster: { server, "certificate-authority-data": certificate.toString("base64") } }],
    users: [...tokens].map(([name, token]) => ({ name, user: { token } })),
  };
}
