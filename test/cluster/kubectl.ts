import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import type { KubeUser } from "./kube-api-server.ts";

export interface KubectlResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface KubectlRun {
  /** What `-f -` reads. */
  readonly input?: string | object | readonly object[];
  /** `admin` where nothing else is said. */
  readonly user?: KubeUser;
}

/** The client that people have. */
export class Kubectl {
  readonly #path: string;
  readonly #kubeconfig: string;

  constructor({ path, kubeconfig }: { readonly path: string; readonly kubeconfig: string }) {
    this.#path = path;
    this.#kubeconfig = kubeconfig;
  }

  /** @throws with what it has said, where it ends with something else than 0. */
  async run(args: readonly string[], options: KubectlRun = {}): Promise<string> {
    const { exitCode, stdout, stderr } = await this.try(args, options);
    if (exitCode !== 0) throw new Error(`kubectl ${args.join(" ")} ended with ${exitCode}:\n${stderr}${stdout}`);
    return stdout;
  }

  async try(args: readonly string[], { input, user = "admin" }: KubectlRun = {}): Promise<KubectlResult> {
    const connection = ["--kubeconfig", this.#kubeconfig, "--context", user];
    const child = spawn(this.#path, [...connection, ...args], { stdio: ["pipe", "pipe", "pipe"] });
    // One that has ended reads nothing more; its exit status says what there is to say.
    child.stdin.on("error", () => {});
    child.stdin.end(renderInput(input));
    const exited = new Promise<number>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => resolve(code ?? -1));
    });
    const [stdout, stderr, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
    return { exitCode, stdout, stderr };
  }

  /** `kubectl apply -f -`. */
  apply(input: KubectlRun["input"], args: readonly string[] = []): Promise<string> {
    return this.run(["apply", ...args, "-f", "-"], input === undefined ? {} : { input });
  }

  /** `kubectl port-forward` to a free port of this machine, until it is disposed of. */
  async forward({ namespace, pod, port }: { readonly namespace: string; readonly pod: string; readonly port: number }) {
    const connection = ["--kubeconfig", this.#kubeconfig, "--context", "admin", "--namespace", namespace];
    const child = spawn(this.#path, [...connection, "port-forward", `pod/${pod}`, `:${port}`], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(child, "exit");
    for await (const line of createInterface({ input: child.stdout })) {
      const local = /^Forwarding from 127\.0\.0\.1:(?<port>\d+) /.exec(line)?.groups?.["port"];
      if (local === undefined) continue;
      return {
        port: Number(local),
        async [Symbol.asyncDispose]() {
          child.kill();
          await ended;
        },
      };
    }
    throw new Error(`kubectl port-forward to ${namespace}/${pod} has ended`);
  }

  async getJson<Value>(args: readonly string[]): Promise<Value> {
    return JSON.parse(await this.run(["get", ...args, "-o", "json"])) as Value;
  }
}

function renderInput(input: KubectlRun["input"]): string {
  if (input === undefined || typeof input === "string") return input ?? "";
  return Array.isArray(input)
    ? JSON.stringify({ apiVersion: "v1", kind: "List", items: input })
    : JSON.stringify(input);
}
