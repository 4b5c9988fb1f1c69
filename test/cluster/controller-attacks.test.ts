import { createHash } from "node:crypto";
import { expect } from "vitest";
import { buildRelease, clean, namespace, order, test, weightsOf, whenPhase } from "./controlled-site.ts";
import { ControllerProcess, until } from "./controller-process.ts";
import type { KubeObject } from "./kube-client.ts";
import type { Kubectl } from "./kubectl.ts";
import { describeCluster } from "./shared-cluster.ts";

/** A namespace of people who may write what they like in it, and nothing elsewhere. */
const evil = "controlled-evil";
const timeout = 180_000;
const waiting = { steps: [{ weight: 10 }, { approve: { question: "\u001B[2J\u202Esure?" } }, { switch: {} }] };

async function evilStatus(
  kubectl: Kubectl,
  name: string,
): Promise<{ readonly phase?: string; readonly message?: string }> {
  const { status = {} } = await kubectl.getJson<{ status?: object }>(["release", name, "-n", evil]);
  return status;
}

/** Nothing here removes what a deleted Release has owned, so that of another one may be there too. */
async function journalOf(kubectl: Kubectl, release: string): Promise<KubeObject> {
  const { metadata: owner } = await kubectl.getJson<KubeObject>(["release", release, "-n", namespace]);
  const query = ["configmaps", "-n", namespace, "-l", "kirikae.dev/journal=true"];
  const { items } = await kubectl.getJson<{ items: KubeObject[] }>(query);
  const found = items.find(({ metadata }) =>
    JSON.stringify(metadata["ownerReferences"]).includes(String(owner["uid"])),
  );
  if (found === undefined) throw new Error(`${release} has no journal`);
  return found;
}

/** What whoever knows the format can write: checksums have no key. */
function forge(journal: KubeObject): Readonly<Record<string, string>> {
  let checksum = "";
  const data = Object.entries(journal["data"] as Readonly<Record<string, string>>).toSorted(([one], [other]) =>
    one < other ? -1 : 1,
  );
  return Object.fromEntries(
    data.map(([key, value]) => {
      const body = value.slice(value.indexOf(" ") + 1).replaceAll(`${namespace}/app/`, "elsewhere/app/");
      checksum = createHash("sha256").update(checksum).update("\n").update(body).digest("hex");
      return [key, `${checksum} ${body}`];
    }),
  );
}

describeCluster("people who may write in one namespace", () => {
  test("move nothing in another one, by its name or by a delegate", { timeout }, async ({ site, kubectl }) => {
    await clean(kubectl, site);
    const { client } = site.cluster;
    await client.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: evil } });
    const { spec } = await kubectl.getJson<{ spec: { http: readonly object[] } }>([
      "virtualservice",
      "app",
      "-n",
      namespace,
    ]);
    const parts = { http: spec.http.slice(-1) };
    const istio = "networking.istio.io/v1";
    await kubectl.apply({
      apiVersion: istio,
      kind: "VirtualService",
      metadata: { name: "parts", namespace },
      spec: parts,
    });
    const hand = [{ name: "hand", delegate: { name: "parts", namespace } }];
    const root = { hosts: ["evil.example"], gateways: [`${namespace}/app`], http: hand };
    await kubectl.apply({
      apiVersion: istio,
      kind: "VirtualService",
      metadata: { name: "root", namespace: evil },
      spec: root,
    });
    await using controller = await ControllerProcess.start(site, { identity: "one" });
    for (const [name, virtualService] of [
      ["direct", `${namespace}/app`],
      ["handed", "root"],
      ["parts", `${namespace}/parts`],
    ]) {
      const release = buildRelease(name ?? "", { steps: [{ switch: {} }] });
      await kubectl.apply({
        ...release,
        metadata: { name: name ?? "", namespace: evil },
        spec: { routes: [{ virtualService }], to: "green", strategy: { steps: [{ switch: {} }] } },
      });
      await until(async () => (await evilStatus(kubectl, name ?? "")).phase === "Refused", {
        what: () => `a refusal of ${name}:\n${controller.lines.join("\n")}`,
      });
    }
    expect(await weightsOf(kubectl)).toMatchObject({ blue: 100 });
    await kubectl.run(["delete", "namespace", evil, "--wait=false"]);
    await kubectl.run(["delete", "virtualservice", "parts", "-n", namespace]);
  });

  test(
    "have no journal carried out that is not the Release's, and can still delete it",
    { timeout },
    async ({ site, kubectl }) => {
      await clean(kubectl, site);
      const first = await ControllerProcess.start(site, { identity: "one" });
      await kubectl.apply(buildRelease("forged", waiting));
      await whenPhase(kubectl, "forged", "Awaiting");
      await first[Symbol.asyncDispose]();
      const journal = await journalOf(kubectl, "forged");
      const patch = JSON.stringify({ data: forge(journal) });
      await kubectl.run(["patch", "configmap", journal.metadata.name, "-n", namespace, "--type=merge", "-p", patch]);
      await using second = await ControllerProcess.start(site, { identity: "two" });
      await whenPhase(kubectl, "forged", "Refused");
      expect(second.lines.join("\n")).toContain("cannot be its own");
      await kubectl.run(["delete", "release", "forged", "-n", namespace, "--timeout=60s"]);
      expect(await weightsOf(kubectl)).toMatchObject({ blue: 90, green: 10 });
    },
  );

  test(
    "who delete the journal keep the Release from going on, and not from being deleted",
    { timeout },
    async ({ site, kubectl }) => {
      await clean(kubectl, site);
      await using controller = await ControllerProcess.start(site, { identity: "one" });
      await kubectl.apply(buildRelease("bare", waiting));
      const { message } = await whenPhase(kubectl, "bare", "Awaiting");
      expect(message).toContain("\uFFFD[2J\uFFFDsure?");
      expect(await kubectl.run(["describe", "release", "bare", "-n", namespace])).not.toContain("\u001B");
      await kubectl.run(["delete", "configmap", (await journalOf(kubectl, "bare")).metadata.name, "-n", namespace]);
      await order(kubectl, "bare", "approve");
      await controller.whenSaid(/journal in the cluster cannot be written/u);
      await kubectl.run(["delete", "release", "bare", "-n", namespace, "--timeout=60s"]);
      expect(await weightsOf(kubectl)).toMatchObject({ blue: 90, green: 10 });
    },
  );
});
