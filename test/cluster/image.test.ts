import { execFile } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "vitest";
import { parseAllDocuments } from "yaml";
import packageJson from "../../package.json" with { type: "json" };
import { startProgram } from "./child-program.ts";
import { installReleaseKind } from "./release-kind.ts";
import { describeCluster, test } from "./shared-cluster.ts";

const run = promisify(execFile);
const repository = fileURLToPath(new URL("../../", import.meta.url));
/** Of nobody on this machine. Another user can be taken by root alone. */
const user = process.getuid?.() === 0 ? { uid: 54_321, gid: 54_321 } : {};
const path = [dirname(process.execPath), process.env["PATH"] ?? ""].join(delimiter);

let folder = "";

/** As the image is made: the package, installed by the command of the Dockerfile, and closed for writing. */
async function install(): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), "kirikae-image-"));
  await chmod(folder, 0o755);
  const env = { ...process.env, PATH: path };
  await run("npm", ["run", "build"], { cwd: repository, env });
  await run("npm", ["pack", "--ignore-scripts", "--pack-destination", folder], { cwd: repository, env });
  const tarball = (await readdir(folder)).find((name) => name.endsWith(".tgz")) ?? "";
  const line = /^RUN (.*)$/mu.exec(await readFile(join(repository, "deploy/Dockerfile"), "utf8"))?.[1] ?? "";
  const words = line.split(" ").map((word) => {
    if (word === "/opt/kirikae") return join(folder, "opt");
    return word.endsWith(".tgz") ? join(folder, tarball) : word;
  });
  const [program = "", ...args] = words;
  await run(program, [...args, "--prefer-offline"], { cwd: folder, env });
  await run("chmod", ["-R", "a-w,a+rX", join(folder, "opt")]);
  await mkdir(join(folder, "tmp"));
  await chmod(join(folder, "tmp"), 0o777);
}

/** HOME is unset, as where nobody has set it, and TMPDIR is the one place that can be written. */
function environment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return { PATH: path, TMPDIR: join(folder, "tmp"), ...more };
}

function kirikae(...args: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string }> {
  return run(join(folder, "opt/bin/kirikae"), args, { cwd: join(folder, "tmp"), env: environment(), ...user });
}

/** What the Deployment of deploy/kirikae.yaml starts. */
async function readContainer(): Promise<{
  readonly args: readonly string[];
  readonly env: readonly { name: string; value?: string }[];
}> {
  const documents = parseAllDocuments(await readFile(join(repository, "deploy/kirikae.yaml"), "utf8"));
  const deployment = documents.find((document) => document.get("kind") === "Deployment");
  return deployment?.toJS().spec.template.spec.containers[0];
}

describeCluster("the image, without a builder", () => {
  test.beforeAll(install, 180_000);

  test.afterAll(async () => {
    await run("chmod", ["-R", "u+w", folder]);
    await rm(folder, { recursive: true, force: true });
  });

  test("is made of the Node that everything is tested on", async () => {
    const text = await readFile(join(repository, "deploy/Dockerfile"), "utf8");
    expect(text).toContain(`NODE_VERSION=${packageJson.devDependencies.node}\n`);
    expect(text).toContain('ENTRYPOINT ["kirikae"]');
    expect(text).toMatch(/^USER 65532:65532$/mu);
  });

  test("answers for any user, without a home and without a place to write", async () => {
    expect((await kirikae("--version")).stdout.trim()).toBe(packageJson.version);
    expect((await kirikae("schema", "--crd")).stdout).toContain("name: releases.kirikae.dev");
    const nowhere = await kirikae("controller").catch((error: { readonly stderr: string }) => error);
    expect(nowhere.stderr).toMatch(/KIR40\d\d/u);
  });

  test("runs the controller as the Deployment does, and ends when it is told to", async ({ cluster, kubectl }) => {
    await cluster.restore();
    await installReleaseKind(kubectl);
    const kubeconfig = join(folder, "kubeconfig.json");
    await copyFile(cluster.api.kubeconfig, kubeconfig);
    await chmod(kubeconfig, 0o644);
    const { args, env } = await readContainer();
    const own = args.map((arg) => arg.replace(/^--(?<what>health|webhook)-port=.*/u, "--$<what>-port=0"));
    // The folders of the image are those of another machine.
    const kept = env.filter(({ name, value }) => value !== undefined && name !== "HOME" && name !== "KIRIKAE_STATE");
    const options = Object.fromEntries(kept.map(({ name, value }) => [name, value]));
    const log = join(folder, "controller.log");
    await writeFile(log, "");
    const script = `exec "$@"`;
    await using controller = startProgram({
      path: join(folder, "opt/bin/kirikae"),
      args: [...own, "--kubeconfig", kubeconfig, "--lease-namespace", "default"],
      env: environment({
        ...options,
        POD_NAME: "kirikae-image",
        POD_NAMESPACE: "default",
        KIRIKAE_STATE: join(folder, "tmp/state"),
      }),
      enter:
        user.uid === undefined
          ? []
          : ["setpriv", `--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups", "sh", "-c", script, "sh"],
      log,
    });
    const ask = async (what: string): Promise<boolean> => {
      const health = /health is told at port (?<port>\d+)/u.exec(await readFile(log, "utf8"))?.groups?.["port"];
      return health !== undefined && (await fetch(`http://127.0.0.1:${health}${what}`)).status === 200;
    };
    await controller.whenReady(() => ask("/readyz"), 60_000);
    expect(await ask("/healthz")).toBe(true);
    const holder = async () => {
      const lease = await kubectl.getJson<Lease>(["lease", "kirikae", "-n", "default"]);
      return lease.spec.holderIdentity ?? "";
    };
    expect(await holder()).toBe("kirikae-image");
    const secret = await kubectl.getJson<{ readonly type: string }>(["secret", "kirikae-webhook", "-n", "default"]);
    expect(secret.type).toBe("kubernetes.io/tls");
    await kubectl.run(["delete", "secret", "kirikae-webhook", "-n", "default"]);
    process.kill(controller.pid, "SIGTERM");
    await expect.poll(holder, { timeout: 20_000 }).toBe("");
  });
});

interface Lease {
  readonly spec: { readonly holderIdentity?: string };
}
