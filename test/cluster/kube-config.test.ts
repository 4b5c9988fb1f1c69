import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import type { ConfigBytes, Kubeconfig } from "../../src/kubernetes/kubeconfig.ts";
import { readKubeconfig } from "../../src/kubernetes/read-kubeconfig.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { describeCluster, test } from "./shared-cluster.ts";

/** The part of kubectl's own reading that is compared. */
interface View {
  readonly "current-context": string;
  readonly contexts:
    | readonly { name: string; context: { cluster: string; user?: string; namespace?: string } }[]
    | null;
  readonly clusters: readonly { name: string; cluster: Readonly<Record<string, unknown>> }[] | null;
  readonly users: readonly { name: string; user: Readonly<Record<string, unknown>> }[] | null;
}

const first = `
current-context: ""
contexts:
- {name: shared, context: {cluster: a, user: u, namespace: one}}
clusters:
- name: a
  cluster: {server: "https://first:6443", certificate-authority: pki/ca.crt}
users:
- name: u
  user: {client-certificate: pki/jane.crt, client-key: /abs/jane.key}
`;

const second = `
current-context: "0x10"
contexts:
- {name: shared, context: {cluster: b}}
- {name: "0x10", context: {cluster: a, user: v}}
clusters:
- name: a
  cluster: {server: "https://second:6443", insecure-skip-tls-verify: yes, tls-server-name: x}
- {name: b, cluster: {server: "http://b", proxy-url: "http://p:1"}}
users:
- name: u
  user: {token: abc}
- name: v
  user: {token: "0123", tokenFile: ../token, username: a, password: b}
- name: w
  user:
    exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plug, args: ["1"], interactiveMode: Never}
`;

describeCluster("kubeconfigs, as kubectl reads them", () => {
  for (const [title, texts] of [
    ["one file", [second]],
    ["two files, of which the first wins", [first, second]],
    ["two files the other way round", [second, first]],
    ["an empty file and one that is not there", ["", undefined, first]],
  ] as const) {
    test(title, async ({ programs }) => {
      if (programs.kind === "missing") throw new Error("a program is missing");
      await using folder = await temporaryFolder();
      const paths = texts.map((_text, index) => join(folder.path, `config-${index}`));
      for (const [index, text] of texts.entries()) if (text !== undefined) await writeFile(paths[index] ?? "", text);
      const env = { KUBECONFIG: paths.join(":"), HOME: folder.path };
      const args = ["config", "view", "--raw", "--output=json"];
      const { stdout } = await promisify(execFile)(join(programs.kubectl, "kubectl"), args, { env });
      const view = JSON.parse(stdout) as View;
      expect(view.contexts).not.toBeNull();
      expect(viewOf(await readKubeconfig({ env }))).toEqual(summarize(view, folder.path));
    });
  }
});

type Rows = Readonly<Record<string, unknown>>;

function sorted<Entry extends { readonly name: string }>(entries: readonly Entry[] | null): readonly Entry[] {
  return (entries ?? []).toSorted((left, right) => (left.name < right.name ? -1 : 1));
}

/** kubectl shows paths from the folder of the file, which is the same for all of these. */
function summarize(view: View, folder: string): Rows {
  const pathIn = (path: unknown): unknown => (typeof path === "string" ? resolve(folder, path) : path);
  return {
    current: view["current-context"],
    contexts: sorted(view.contexts).map(({ name, context: { cluster, user, namespace } }) => ({
      name,
      context: { cluster, user: user === "" ? undefined : user, namespace },
    })),
    clusters: sorted(view.clusters).map(({ name, cluster }) => ({
      name,
      server: cluster["server"],
      authority: pathIn(cluster["certificate-authority"]),
      isInsecure: cluster["insecure-skip-tls-verify"] ?? false,
      serverName: cluster["tls-server-name"],
      proxy: cluster["proxy-url"],
    })),
    users: sorted(view.users).map(({ name, user }) => ({
      name,
      token: user["token"],
      tokenFile: pathIn(user["tokenFile"]),
      certificate: pathIn(user["client-certificate"]),
      key: pathIn(user["client-key"]),
      username: user["username"],
      command: pathIn((user["exec"] as { readonly command?: string } | undefined)?.command),
    })),
  };
}

function viewOf({ currentContext = "", contexts, clusters, users }: Kubeconfig): Rows {
  return {
    current: currentContext,
    contexts: sorted([...contexts].map(([name, context]) => ({ name, context }))),
    clusters: sorted(
      [...clusters].map(([name, each]) => ({
        name,
        server: each.server,
        authority: pathOf(each.authority),
        isInsecure: each.insecureSkipTlsVerify,
        serverName: each.tlsServerName,
        proxy: each.proxyUrl,
      })),
    ),
    users: sorted(
      [...users].map(([name, each]) => ({
        name,
        token: each.token,
        tokenFile: each.tokenFile,
        certificate: pathOf(each.certificate),
        key: pathOf(each.key),
        username: each.basic?.username,
        command: each.exec?.command,
      })),
    ),
  };
}

function pathOf(bytes: ConfigBytes | undefined): string | undefined {
  return bytes?.kind === "file" ? bytes.path : undefined;
}
