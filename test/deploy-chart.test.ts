import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access, readFile } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";

const run = promisify(execFile);
const deploy = fileURLToPath(new URL("../deploy/", import.meta.url));
const chart = join(deploy, "chart/kirikae");

/** On PATH, or named by KIRIKAE_HELM; `go install helm.sh/helm/v3/cmd/helm@v3.19.0` makes one. */
async function findHelm(): Promise<string | undefined> {
  const named = process.env["KIRIKAE_HELM"];
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter(isAbsolute);
  for (const path of [...(named === undefined ? [] : [named]), ...folders.map((folder) => join(folder, "helm"))]) {
    if (await access(path, constants.X_OK).then(() => true, isMissing)) return path;
  }
  return undefined;
}

function isMissing(error: NodeJS.ErrnoException): false {
  if (error.code === "ENOENT" || error.code === "EACCES" || error.code === "ENOTDIR") return false;
  throw error;
}

const helm = await findHelm();
if (helm === undefined) {
  process.stderr.write("\nSKIPPED: the chart is not held against deploy/kirikae.yaml, because there is no helm.\n\n");
}

interface Named {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly annotations?: object };
}

function readObjects(text: string): ReadonlyMap<string, Named> {
  const objects = parseAllDocuments(text).map((document) => document.toJS() as Named | null);
  const named = objects.filter((object) => object !== null);
  return new Map(named.map((each) => [`${each.kind} ${each.metadata.namespace ?? ""}/${each.metadata.name}`, each]));
}

async function template(...values: readonly string[]): Promise<ReadonlyMap<string, Named>> {
  const flags = [
    "--namespace",
    "kirikae-system",
    "--kube-version",
    "1.36.0",
    ...values.flatMap((each) => ["--set", each]),
  ];
  const { stdout } = await run(helm ?? "", ["template", "kirikae", chart, ...flags], { maxBuffer: 16 * 1024 * 1024 });
  return readObjects(stdout);
}

describe.skipIf(helm === undefined)("the chart", () => {
  test("passes helm lint", async () => {
    const { stdout } = await run(helm ?? "", ["lint", "--strict", chart]);
    expect(stdout).toContain("0 chart(s) failed");
  });

  test("makes the objects of the one YAML, but for the namespace", async () => {
    const plain = new Map(readObjects(await readFile(join(deploy, "kirikae.yaml"), "utf8")));
    plain.delete("Namespace /kirikae-system");
    const made = new Map(await template());
    const definition = made.get("CustomResourceDefinition /releases.kirikae.dev");
    expect(definition?.metadata.annotations).toEqual({ "helm.sh/resource-policy": "keep" });
    if (definition !== undefined) {
      const metadata = Object.entries(definition.metadata).filter(([field]) => field !== "annotations");
      const bare = { ...definition, metadata: Object.fromEntries(metadata) };
      expect(bare).toEqual(plain.get("CustomResourceDefinition /releases.kirikae.dev"));
      made.delete("CustomResourceDefinition /releases.kirikae.dev");
      plain.delete("CustomResourceDefinition /releases.kirikae.dev");
    }
    expect(Object.fromEntries(made)).toEqual(Object.fromEntries(plain));
  });

  test("cuts the rights to one namespace", async () => {
    const made = await template("onlyNamespace=team");
    expect(made.has("ClusterRoleBinding /kirikae-routes")).toBe(false);
    expect(made.has("RoleBinding team/kirikae-routes")).toBe(true);
    expect(made.has("RoleBinding istio-system/kirikae-routes")).toBe(true);
    expect(JSON.stringify(made.get("Deployment kirikae-system/kirikae"))).toContain('"--namespace=team"');
  });

  test("names the hosts of its own machine that judges may ask", async () => {
    const made = await template("allowJudgeHosts={127.0.0.1:9090,sidecar.example}");
    const deployment = JSON.stringify(made.get("Deployment kirikae-system/kirikae"));
    expect(deployment).toContain('"--allow-judge-host=127.0.0.1:9090","--allow-judge-host=sidecar.example"');
  });

  test("refuses what cannot be checked where it is told so, and leaves the webhook out", async () => {
    const closed = await template("webhook.failurePolicy=Fail");
    expect(JSON.stringify(closed.get("ValidatingWebhookConfiguration /kirikae"))).toContain('"failurePolicy":"Fail"');
    expect(JSON.stringify(closed.get("Deployment kirikae-system/kirikae"))).toContain("--webhook-failure=closed");
    const without = await template("webhook.enabled=false");
    expect(without.has("ValidatingWebhookConfiguration /kirikae")).toBe(false);
    expect(JSON.stringify(without.get("Deployment kirikae-system/kirikae"))).not.toContain("--webhook");
  });
});
