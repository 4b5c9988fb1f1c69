import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { stringify } from "yaml";
import { temporaryFolder } from "../temporary-folder.ts";
import type { KubeObject } from "./kube-client.ts";
import { describeCluster, test } from "./shared-cluster.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const namespace = "gitops";

function service(shares: Readonly<Record<string, number>>, rules: readonly object[] = []): KubeObject {
  const route = Object.entries(shares).map(([subset, weight]) => ({ destination: { host: "web", subset }, weight }));
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "web", namespace },
    spec: { hosts: ["web.gitops.test"], http: [...rules, { name: "rest", route }] },
  };
}

describeCluster("git and a real API server", () => {
  test("git is held against what is live, and brought up to date", async ({ cluster }) => {
    await cluster.restore();
    await using folder = await temporaryFolder();
    const file = join(folder.path, "web.yaml");
    const run = async (...args: readonly string[]): Promise<readonly [number | null, string]> => {
      const site = ["--context", "admin", "--kubeconfig", cluster.api.kubeconfig];
      const child = spawn(process.execPath, [join(root, "bin/kirikae.js"), "gitops", ...args, file, ...site], {
        env: { ...process.env, NO_COLOR: "1" },
      });
      child.stdin.end();
      const ended = new Promise<number | null>((resolve) => {
        child.once("close", resolve);
      });
      const [answer, errors, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
      return [status, answer + errors];
    };
    await cluster.client.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
    await cluster.client.apply(service({ blue: 100, green: 0 }));
    await writeFile(file, stringify(service({ blue: 100, green: 0 })));
    expect(await run("diff")).toEqual([0, "A sync from git would undo nothing.\n"]);

    const own = { name: "kirikae/preview/gitops.web/1", match: [{ headers: { "x-a": { exact: "1" } } }] };
    const preview = { ...own, route: [{ destination: { host: "web", subset: "green" } }] };
    await cluster.client.apply(service({ blue: 25, green: 75 }, [preview]));
    const [status, undone] = await run("diff");
    expect(status).toBe(1);
    expect(undone).toContain("rule rest: live web/blue 25 %, web/green 75 %, git web/blue 100 %, web/green 0 %");
    expect(undone).toContain("route kirikae/preview/gitops.web/1 is live");
    expect(await run("patch", "--write")).toEqual([0, `${file}: gitops/web rest\n`]);

    await cluster.client.apply(service({ blue: 25, green: 75 }));
    expect(await run("diff")).toEqual([0, "A sync from git would undo nothing.\n"]);
    await cluster.client.delete(service({}));
  }, 120_000);
});
