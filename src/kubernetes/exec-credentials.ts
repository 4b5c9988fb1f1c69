import { spawn } from "node:child_process";
import { isatty } from "node:tty";
import { errorText } from "../core/diagnostics/error-text.ts";
import { type ClientCertificate, type Credential, type Credentials, noCredential } from "./credential.ts";
import type { ConfigExec } from "./kubeconfig.ts";

/** The cluster that a plugin is to give credentials for. */
export interface ExecTarget {
  readonly context: string;
  /** As `spec.cluster` of an ExecCredential has it. */
  readonly cluster: Readonly<Record<string, unknown>>;
  readonly env: NodeJS.ProcessEnv;
}

export interface ExecCredentialsOptions {
  readonly target: ExecTarget;
  /** Beside those of the plugin. */
  readonly headers: Credential["headers"];
  /** Of the kubeconfig; one that the plugin gives wins. */
  readonly certificate: ClientCertificate | undefined;
}

const knownVersions = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];

/** Whether somebody is there whom the plugin may ask. */
type Attendance = "attended" | "unattended";

/** A browser may have to be opened and a person to sign in. */
const patienceMs: Readonly<Record<Attendance, number>> = { attended: 300_000, unattended: 60_000 };
const mostBytes = 1024 * 1024;
/** For what the plugin has printed to arrive when it has ended. */
const lastWordsMs = 1_000;
/** As tokens look in what plugins print when they are told to tell more: JWTs, those of EKS and of GKE, and headers. */
const tokens = /eyJ[\w-]+\.[\w-]+\.[\w-]*|k8s-aws-v1\.[\w-]+|ya29\.[\w-]+|(?<=bearer )\S+/giu;

interface IssuedCredential {
  readonly token: string | undefined;
  readonly certificate: ClientCertificate | undefined;
  /** Milliseconds of the wall clock. */
  readonly expiresAtMs: number;
}

/**
 * A program that gives a token or a certificate (Kubernetes, "client-go credential plugins"). It is asked once for all
 * who wait, and again when what it gave has ended or was refused.
 */
export class ExecCredentials implements Credentials {
  readonly #exec: ConfigExec;
  readonly #options: ExecCredentialsOptions;
  #issued: IssuedCredential | undefined;
  #asking: Promise<IssuedCredential> | undefined;

  /** @throws KubeError KIR4003 for a version of the protocol that is not known */
  constructor(exec: ConfigExec, options: ExecCredentialsOptions) {
    if (!knownVersions.includes(exec.apiVersion)) {
      const said = exec.apiVersion === "" ? "names no apiVersion" : `speaks ${exec.apiVersion}`;
      const hint = "update the plugin and the kubeconfig that it has written";
      throw noCredential(`the plugin ${exec.command} ${said}; known are ${knownVersions.join(", ")}`, undefined, hint);
    }
    this.#exec = exec;
    this.#options = options;
  }

  async current(): Promise<Credential> {
    if (this.#issued === undefined || this.#issued.expiresAtMs <= Date.now()) await this.#renew();
    const { headers, certificate } = this.#options;
    const issued = this.#issued;
    const authorization = issued?.token === undefined ? {} : { authorization: `Bearer ${issued.token}` };
    return { headers: { ...authorization, ...headers }, certificate: issued?.certificate ?? certificate };
  }

  refused(): boolean {
    const wasIssued = this.#issued !== undefined;
    this.#issued = undefined;
    return wasIssued;
  }

  async #renew(): Promise<void> {
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
    this.#issued = await this.#asking;
  }

  async #ask(): Promise<IssuedCredential> {
    const exec = this.#exec;
    const { target } = this.#options;
    const attendance = isatty(0) && exec.interactiveMode !== "Never" ? "attended" : "unattended";
    if (attendance === "unattended" && exec.interactiveMode === "Always") {
      throw noCredential(`the plugin ${exec.command} wants a terminal, and there is none`);
    }
    const info = {
      apiVersion: exec.apiVersion,
      kind: "ExecCredential",
      spec: { interactive: attendance === "attended", ...(exec.provideClusterInfo ? { cluster: target.cluster } : {}) },
    };
    const env = { ...target.env, ...exec.env, KUBERNETES_EXEC_INFO: JSON.stringify(info) };
    return readAnswer(exec, await runPlugin(exec, env, attendance));
  }
}

function runPlugin(exec: ConfigExec, env: NodeJS.ProcessEnv, attendance: Attendance): Promise<string> {
  const [stdin, stderr] = attendance === "attended" ? (["inherit", "inherit"] as const) : (["ignore", "pipe"] as const);
  return new Promise((resolve, reject) => {
    const child = spawn(exec.command, exec.args, {
      env,
      stdio: [stdin, "pipe", stderr],
      timeout: patienceMs[attendance],
      killSignal: "SIGKILL",
    });
    const printed: Buffer[] = [];
    let bytes = 0;
    let complaint = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= mostBytes) printed.push(chunk);
      else child.kill("SIGKILL");
    });
    // What it has started may go on, and hold its end of the pipes.
    child.once("exit", () => {
      const timer = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, lastWordsMs);
      child.once("close", () => clearTimeout(timer));
    });
    child.stderr?.on("data", (chunk: Buffer) => (complaint = (complaint + chunk.toString("utf8")).slice(-2_000)));
    child.once("error", (error) => {
      const hint = exec.installHint?.trim();
      reject(noCredential(`the plugin ${exec.command} cannot be run: ${errorText(error)}`, error, hint));
    });
    child.once("close", (status, signal) => {
      if (status === 0) return resolve(Buffer.concat(printed).toString("utf8"));
      const last = (complaint.trim().split("\n").at(-1)?.trim() ?? "").replaceAll(tokens, "(secret)");
      const said = last === "" ? "" : `: ${last.slice(0, 300)}`;
      reject(noCredential(`the plugin ${exec.command} ended with ${signal ?? String(status)}${said}`));
    });
  });
}

/** What it says is never quoted: the answer is the secret. */
function readAnswer({ command, apiVersion }: ConfigExec, text: string): IssuedCredential {
  const answer = parseAnswer(text);
  if (answer?.apiVersion !== apiVersion || answer.kind !== "ExecCredential") {
    throw noCredential(`the plugin ${command} did not answer with an ExecCredential of ${apiVersion}`);
  }
  const status = answer.status;
  const token = textOf(status?.["token"]);
  const cert = textOf(status?.["clientCertificateData"]);
  const key = textOf(status?.["clientKeyData"]);
  const certificate = cert === undefined || key === undefined ? undefined : { cert, key };
  if (token === undefined && certificate === undefined) {
    throw noCredential(`the plugin ${command} gave neither a token nor a certificate with its key`);
  }
  const expiresAtMs = Date.parse(textOf(status?.["expirationTimestamp"]) ?? "");
  return { token, certificate, expiresAtMs: Number.isNaN(expiresAtMs) ? Infinity : expiresAtMs };
}

interface PluginAnswer {
  readonly apiVersion?: unknown;
  readonly kind?: unknown;
  readonly status?: Readonly<Record<string, unknown>> | null;
}

function parseAnswer(text: string): PluginAnswer | null | undefined {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
