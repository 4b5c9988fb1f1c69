import { readFile } from "node:fs/promises";
import { errorText } from "../core/diagnostics/error-text.ts";
import { type ClientCertificate, type Credential, type Credentials, noCredential } from "./credential.ts";
import { ExecCredentials, type ExecTarget } from "./exec-credentials.ts";
import type { ConfigBytes, ConfigUser, Impersonation } from "./kubeconfig.ts";
import type { KubeError } from "./kube-error.ts";

/** As kubelets write new tokens long before the old ones end; client-go's figure is a minute. */
const tokenFileMs = 60_000;

/**
 * Who a user of a kubeconfig is: a token wins over a name with a password, and both win over a plugin.
 * @throws KubeError KIR4003 for what cannot be used at all
 */
export async function createCredentials(user: ConfigUser | undefined, target: ExecTarget): Promise<Credentials> {
  if (user === undefined) return constant({ headers: {} });
  if (user.authProvider !== undefined && user.exec === undefined) throw removedProvider(user.authProvider, target);
  const impersonation = user.impersonate === undefined ? {} : impersonationHeaders(user.impersonate);
  const certificate = await readCertificate(user);
  if (user.tokenFile !== undefined) return new FileToken(user.tokenFile, impersonation, certificate);
  const authorization = authorizationOf(user);
  if (authorization !== undefined) return constant({ headers: { authorization, ...impersonation }, certificate });
  if (user.exec !== undefined) return new ExecCredentials(user.exec, { target, headers: impersonation, certificate });
  return constant({ headers: impersonation, certificate });
}

/** Of a service account, which a kubelet renews in its file. */
export function createFileCredentials(path: string): Credentials {
  return new FileToken(path, {}, undefined);
}

/** @throws KubeError KIR4003 */
export async function readConfigBytes(bytes: ConfigBytes): Promise<Buffer> {
  if (bytes.kind === "data") return bytes.bytes;
  try {
    return await readFile(bytes.path);
  } catch (error) {
    throw noCredential(`${bytes.path} cannot be read: ${errorText(error)}`, error);
  }
}

class FileToken implements Credentials {
  readonly #path: string;
  readonly #headers: Credential["headers"];
  readonly #certificate: ClientCertificate | undefined;
  #known: { readonly token: string; readonly readAtMs: number } | undefined;

  constructor(path: string, headers: Credential["headers"], certificate: ClientCertificate | undefined) {
    this.#path = path;
    this.#headers = headers;
    this.#certificate = certificate;
  }

  async current(): Promise<Credential> {
    const now = performance.now();
    if (this.#known === undefined || now - this.#known.readAtMs > tokenFileMs) await this.#read(now);
    const authorization = `Bearer ${this.#known?.token ?? ""}`;
    return { headers: { authorization, ...this.#headers }, certificate: this.#certificate };
  }

  refused(): boolean {
    const age = this.#known === undefined ? 0 : performance.now() - this.#known.readAtMs;
    this.#known = undefined;
    return age > 1_000;
  }

  async #read(now: number): Promise<void> {
    const bytes = await readConfigBytes({ kind: "file", path: this.#path });
    const token = bytes.toString("utf8").trim();
    if (token === "") throw noCredential(`${this.#path} is empty`);
    this.#known = { token, readAtMs: now };
  }
}

function constant(credential: Credential): Credentials {
  return { current: () => Promise.resolve(credential), refused: () => false };
}

function authorizationOf({ token, basic }: ConfigUser): string | undefined {
  if (token !== undefined) return `Bearer ${token}`;
  if (basic === undefined) return undefined;
  return `Basic ${Buffer.from(`${basic.username}:${basic.password}`, "utf8").toString("base64")}`;
}

async function readCertificate({ certificate, key }: ConfigUser): Promise<ClientCertificate | undefined> {
  if (certificate === undefined && key === undefined) return undefined;
  if (certificate === undefined || key === undefined) {
    throw noCredential(
      `the user has a client ${certificate === undefined ? "key but no certificate" : "certificate but no key"}`,
    );
  }
  return { cert: await readConfigBytes(certificate), key: await readConfigBytes(key) };
}

/** Kubernetes, "Authenticating": user impersonation. */
function impersonationHeaders({ user, uid, groups, extra }: Impersonation): Credential["headers"] {
  const told = [...extra].map(
    ([name, values]) => [`impersonate-extra-${encodeURIComponent(name)}`, [...values]] as const,
  );
  return {
    "impersonate-user": user,
    ...(uid === undefined ? {} : { "impersonate-uid": uid }),
    ...(groups.length === 0 ? {} : { "impersonate-group": [...groups] }),
    ...Object.fromEntries(told),
  };
}

function removedProvider(name: string, { context }: ExecTarget): KubeError {
  const successors: Readonly<Record<string, string>> = {
    gcp: "install gke-gcloud-auth-plugin and run `gcloud container clusters get-credentials` again",
    azure: "install kubelogin and run `kubelogin convert-kubeconfig`",
    oidc: "use the exec plugin kubelogin (`kubectl oidc-login setup`)",
  };
  const reason = `the user of context ${context} has the auth-provider ${name}, which Kubernetes 1.26 has removed`;
  return noCredential(reason, undefined, successors[name] ?? "use an exec plugin or a token instead");
}
