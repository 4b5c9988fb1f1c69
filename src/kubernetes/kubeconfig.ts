import { dirname, resolve } from "node:path";
import { parseDocument } from "yaml";
import { KirikaeError } from "../core/diagnostics/error.ts";

/** What one kubeconfig says, or several laid over each other. Paths are absolute. */
export interface Kubeconfig {
  readonly currentContext: string | undefined;
  readonly contexts: ReadonlyMap<string, ConfigContext>;
  readonly clusters: ReadonlyMap<string, ConfigCluster>;
  readonly users: ReadonlyMap<string, ConfigUser>;
}

export interface ConfigContext {
  readonly cluster: string;
  readonly user: string | undefined;
  readonly namespace: string | undefined;
}

export interface ConfigCluster {
  readonly server: string;
  readonly authority: ConfigBytes | undefined;
  readonly insecureSkipTlsVerify: boolean;
  readonly tlsServerName: string | undefined;
  readonly proxyUrl: string | undefined;
  /** The data of the extension `client.authentication.k8s.io/exec`, which plugins are given. */
  readonly execConfig: unknown;
}

/** Bytes that stand in the kubeconfig, or in a file that it names. */
export type ConfigBytes =
  | { readonly kind: "data"; readonly bytes: Buffer }
  | { readonly kind: "file"; readonly path: string };

export interface ConfigUser {
  readonly token: string | undefined;
  readonly tokenFile: string | undefined;
  readonly certificate: ConfigBytes | undefined;
  readonly key: ConfigBytes | undefined;
  readonly basic: { readonly username: string; readonly password: string } | undefined;
  readonly exec: ConfigExec | undefined;
  /** The name of a provider of the kind that Kubernetes 1.26 has removed. */
  readonly authProvider: string | undefined;
  readonly impersonate: Impersonation | undefined;
}

export interface Impersonation {
  readonly user: string;
  readonly uid: string | undefined;
  readonly groups: readonly string[];
  readonly extra: ReadonlyMap<string, readonly string[]>;
}

export interface ConfigExec {
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly interactiveMode: "Never" | "IfAvailable" | "Always";
  readonly provideClusterInfo: boolean;
  readonly installHint: string | undefined;
}

/**
 * Reads the text of a kubeconfig (Kubernetes, "Organizing Cluster Access Using kubeconfig Files"). Entries that nobody
 * uses may be broken: they are left out, as if they were not there.
 * @param path where it was found; paths in it are relative to its folder
 * @throws KirikaeError KIR4001 for a text that is no kubeconfig; it quotes nothing of the text, which holds secrets
 */
export function parseKubeconfig(text: string, path: string): Kubeconfig {
  const root = record(parseYaml(text, path));
  if (root === undefined) throw notUsable(path, "it is not a mapping of fields");
  const folder = dirname(resolve(path));
  return {
    currentContext: filled(root["current-context"]),
    contexts: readNamed(root["contexts"], "context", readContext),
    clusters: readNamed(root["clusters"], "cluster", (fields) => readCluster(fields, folder)),
    users: readNamed(root["users"], "user", (fields) => readUser(fields, folder)),
  };
}

/** Lays files over each other: the first that says something wins, entry by entry, as with kubectl. */
export function mergeKubeconfigs(files: readonly Kubeconfig[]): Kubeconfig {
  const backwards = files.toReversed();
  return {
    currentContext: files.find(({ currentContext }) => currentContext !== undefined)?.currentContext,
    contexts: new Map(backwards.flatMap(({ contexts }) => [...contexts])),
    clusters: new Map(backwards.flatMap(({ clusters }) => [...clusters])),
    users: new Map(backwards.flatMap(({ users }) => [...users])),
  };
}

/** KIR4001, exit status 3. */
export function notUsable(path: string, reason: string): KirikaeError {
  return new KirikaeError("KIR4001", `the kubeconfig ${path} cannot be used: ${reason}`, {
    exitStatus: 3,
    hint: "`kubectl config view` shows what kubectl reads; --kubeconfig or KUBECONFIG names another file",
  });
}

type Fields = Readonly<Record<string, unknown>>;

function parseYaml(text: string, path: string): unknown {
  // Everything is text, so that a token of digits keeps its zeros and a context may be called 1e3.
  const document = parseDocument(text, {
    schema: "failsafe",
    customTags: ["null", "bool", "merge"],
    merge: true,
    logLevel: "error",
  });
  // The parser's own words quote the line, which may hold a key.
  const [first] = document.errors;
  if (first !== undefined) throw notUsable(path, `it is not YAML from line ${first.linePos?.[0].line ?? 1} on`);
  try {
    return document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    if (!(error instanceof ReferenceError) && !(error instanceof TypeError)) throw error;
    throw notUsable(path, "it has aliases of YAML that cannot be resolved");
  }
}

function readNamed<Entry>(
  list: unknown,
  field: string,
  read: (fields: Fields) => Entry | undefined,
): ReadonlyMap<string, Entry> {
  const found = new Map<string, Entry>();
  for (const each of Array.isArray(list) ? list : []) {
    const entry = record(each);
    const name = scalar(entry?.["name"]);
    const value = entry === undefined ? undefined : read(record(entry[field]) ?? {});
    // Of two entries of one name in one file the last is meant, as a mapping would have it.
    if (name !== undefined && value !== undefined) found.set(name, value);
  }
  return found;
}

function readContext(fields: Fields): ConfigContext | undefined {
  const cluster = filled(fields["cluster"]);
  if (cluster === undefined) return undefined;
  return { cluster, user: filled(fields["user"]), namespace: filled(fields["namespace"]) };
}

function readCluster(fields: Fields, folder: string): ConfigCluster | undefined {
  const server = filled(fields["server"]);
  if (server === undefined) return undefined;
  return {
    server,
    authority: readBytes(fields, "certificate-authority", folder),
    insecureSkipTlsVerify: isTrue(fields["insecure-skip-tls-verify"]),
    tlsServerName: filled(fields["tls-server-name"]),
    proxyUrl: filled(fields["proxy-url"]),
    execConfig: readExecConfig(fields["extensions"]),
  };
}

function readExecConfig(extensions: unknown): unknown {
  const list: readonly unknown[] = Array.isArray(extensions) ? extensions : [];
  return list.map(record).find((each) => each?.["name"] === "client.authentication.k8s.io/exec")?.["extension"];
}

function readUser(fields: Fields, folder: string): ConfigUser {
  const username = filled(fields["username"]);
  const tokenFile = filled(fields["tokenFile"]);
  return {
    token: filled(fields["token"]),
    tokenFile: tokenFile === undefined ? undefined : resolve(folder, tokenFile),
    certificate: readBytes(fields, "client-certificate", folder),
    key: readBytes(fields, "client-key", folder),
    basic: username === undefined ? undefined : { username, password: scalar(fields["password"]) ?? "" },
    exec: readExec(record(fields["exec"]), folder),
    authProvider: readAuthProvider(fields["auth-provider"]),
    impersonate: readImpersonation(fields),
  };
}

function readAuthProvider(value: unknown): string | undefined {
  const fields = record(value);
  return fields === undefined ? undefined : (filled(fields["name"]) ?? "unknown");
}

function readImpersonation(fields: Fields): Impersonation | undefined {
  const user = filled(fields["as"]);
  if (user === undefined) return undefined;
  const extra = Object.entries(record(fields["as-user-extra"]) ?? {});
  return {
    user,
    uid: filled(fields["as-uid"]),
    groups: texts(fields["as-groups"]),
    extra: new Map(extra.map(([name, values]) => [name, texts(values)])),
  };
}

function readExec(fields: Fields | undefined, folder: string): ConfigExec | undefined {
  const command = filled(fields?.["command"]);
  if (fields === undefined || command === undefined) return undefined;
  const mode = fields["interactiveMode"];
  const env = (Array.isArray(fields["env"]) ? fields["env"] : []).map((each) => record(each) ?? {});
  return {
    apiVersion: filled(fields["apiVersion"]) ?? "",
    // A bare name is looked for on PATH; anything else is a path from the kubeconfig's folder.
    command: command.includes("/") ? resolve(folder, command) : command,
    args: texts(fields["args"]),
    env: Object.fromEntries(env.map((each) => [scalar(each["name"]) ?? "", scalar(each["value"]) ?? ""])),
    interactiveMode: mode === "Never" || mode === "Always" ? mode : "IfAvailable",
    provideClusterInfo: isTrue(fields["provideClusterInfo"]),
    installHint: filled(fields["installHint"]),
  };
}

/** What stands in the file itself wins over a file that it names. */
function readBytes(fields: Fields, name: string, folder: string): ConfigBytes | undefined {
  const data = filled(fields[`${name}-data`]);
  if (data !== undefined) return { kind: "data", bytes: Buffer.from(data, "base64") };
  const path = filled(fields[name]);
  return path === undefined ? undefined : { kind: "file", path: resolve(folder, path) };
}

function record(value: unknown): Fields | undefined {
  return isRecord(value) ? value : undefined;
}

function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** kubectl reads YAML 1.1, in which `yes` and `on` are true as well. */
function isTrue(value: unknown): boolean {
  return value === true || (typeof value === "string" && /^(?:y|yes|on)$/iu.test(value));
}

function scalar(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "boolean" ? String(value) : undefined;
}

function filled(value: unknown): string | undefined {
  const text = scalar(value);
  return text === "" ? undefined : text;
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.flatMap((each) => scalar(each) ?? []) : [];
}
