import { stringify } from "yaml";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KirikaeError } from "../core/diagnostics/error.ts";
import { type Kubeconfig, mergeKubeconfigs, parseKubeconfig } from "./kubeconfig.ts";

const path = "/home/jane/.kube/config";

const whole = `
apiVersion: v1
kind: Config
current-context: 1e3
preferences: {}
contexts:
- name: 1e3
  context: {cluster: prod, user: "jane", namespace: 007}
- name: no-user
  context: {cluster: prod}
- name: broken
- context: {cluster: prod}
clusters:
- name: prod
  cluster:
    server: https://10.0.0.1:6443
    certificate-authority: certs/ca.pem
    tls-server-name: kubernetes
    insecure-skip-tls-verify: yes
    proxy-url: http://proxy:3128
    extensions:
    - name: client.authentication.k8s.io/exec
      extension: {audience: "1"}
- name: without-server
  cluster: {}
users:
- name: jane
  user:
    token: 0123
    tokenFile: token
    client-certificate-data: Y2VydA==
    client-certificate: never.pem
    client-key: /keys/key.pem
    as: root
    as-uid: 7
    as-groups: [a, 5]
    as-user-extra: {reason: [b]}
- name: plugged
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: ./bin/plugin
      args: [--id, 5]
      env: [{name: REGION, value: eu}]
      interactiveMode: Never
      provideClusterInfo: true
      installHint: get it
- name: old
  user: {auth-provider: {name: gcp, config: {}}}
- name: basic
  user: {username: admin, password: no}
`;

describe("a whole kubeconfig", () => {
  const config = parseKubeconfig(whole, path);

  test("is text where YAML would see a number, and booleans are those of YAML 1.1", () => {
    expect(config.currentContext).toBe("1e3");
    expect([...config.contexts]).toEqual([
      ["1e3", { cluster: "prod", user: "jane", namespace: "007" }],
      ["no-user", { cluster: "prod", user: undefined, namespace: undefined }],
    ]);
    expect(config.users.get("basic")?.basic).toEqual({ username: "admin", password: "no" });
  });

  test("finds files from its own folder, and what stands in it wins over a file", () => {
    expect(config.clusters.get("prod")).toEqual({
      server: "https://10.0.0.1:6443",
      authority: { kind: "file", path: "/home/jane/.kube/certs/ca.pem" },
      insecureSkipTlsVerify: true,
      tlsServerName: "kubernetes",
      proxyUrl: "http://proxy:3128",
      execConfig: { audience: "1" },
    });
    expect(config.users.get("jane")).toEqual({
      token: "0123",
      tokenFile: "/home/jane/.kube/token",
      certificate: { kind: "data", bytes: Buffer.from("cert") },
      key: { kind: "file", path: "/keys/key.pem" },
      basic: undefined,
      exec: undefined,
      authProvider: undefined,
      impersonate: { user: "root", uid: "7", groups: ["a", "5"], extra: new Map([["reason", ["b"]]]) },
    });
  });

  test("names plugins by their path, or by a name to be found", () => {
    expect(config.users.get("plugged")?.exec).toEqual({
      apiVersion: "client.authentication.k8s.io/v1",
      command: "/home/jane/.kube/bin/plugin",
      args: ["--id", "5"],
      env: { REGION: "eu" },
      interactiveMode: "Never",
      provideClusterInfo: true,
      installHint: "get it",
    });
    const bare = parseKubeconfig("users: [{name: a, user: {exec: {command: aws}}}]", path);
    expect(bare.users.get("a")?.exec).toMatchObject({ command: "aws", interactiveMode: "IfAvailable" });
    expect(config.users.get("old")?.authProvider).toBe("gcp");
  });

  test("leaves out entries that nobody could use", () => {
    expect([...config.clusters.keys()]).toEqual(["prod"]);
    expect([...config.contexts.keys()]).not.toContain("broken");
  });
});

test("of several files the first that says something wins, entry by entry", () => {
  const first = parseKubeconfig("users: [{name: red, user: {username: one}}]\ncurrent-context: ''", "/a/config");
  const second = parseKubeconfig(
    "current-context: b\nusers: [{name: red, user: {token: t}}, {name: blue, user: {token: u}}]",
    "/b/config",
  );
  const merged = mergeKubeconfigs([first, second]);
  expect(merged.currentContext).toBe("b");
  expect(merged.users.get("red")).toMatchObject({ basic: { username: "one" }, token: undefined });
  expect(merged.users.get("blue")).toMatchObject({ token: "u" });
});

test.each(["", "# nothing", "~", "users:", "contexts: null\nclusters: {}\nusers: [~, 5, [], {name: [a]}]"])(
  "%j has nothing in it and is none the worse",
  (text) => {
    expect(parseKubeconfig(text, path)).toEqual({
      currentContext: undefined,
      contexts: new Map(),
      clusters: new Map(),
      users: new Map(),
    } satisfies Kubeconfig);
  },
);

test.each(["token: [sesame", "- sesame", "sesame", "a: *sesame", "token: sesame\n\ttab: 1"])(
  "%j is no kubeconfig, and the error quotes nothing of it",
  (text) => {
    const error = errorOf(() => parseKubeconfig(text, path));
    expect(error).toMatchObject({ code: "KIR4001" });
    expect(error?.message).toContain(path);
    expect(`${error?.message} ${error?.hint}`).not.toContain("sesame");
  },
);

test("an anchor that grows without end is refused", () => {
  const grown = Array.from({ length: 30 }, (_each, n) => `a${n + 1}: &a${n + 1} [*a${n}, *a${n}, *a${n}]`).join("\n");
  expect(errorOf(() => parseKubeconfig(`a0: &a0 [x]\n${grown}`, path))).toMatchObject({ code: "KIR4001" });
});

test("names and secrets of any text come back as they were written", () => {
  const word = fc.string({ minLength: 1, unit: "grapheme" });
  fc.assert(
    fc.property(
      fc.tuple(word, word, word),
      fc.constantFrom("QUOTE_DOUBLE", "PLAIN", "QUOTE_SINGLE"),
      ([name, token, host], style) => {
        const text = stringify(
          {
            "current-context": name,
            contexts: [{ name, context: { cluster: name, user: name } }],
            clusters: [{ name, cluster: { server: host } }],
            users: [{ name, user: { token } }],
          },
          { defaultStringType: style },
        );
        const config = parseKubeconfig(text, path);
        expect(config.currentContext).toBe(name);
        expect(config.contexts.get(name)).toMatchObject({ cluster: name, user: name });
        expect(config.clusters.get(name)?.server).toBe(host);
        expect(config.users.get(name)?.token).toBe(token);
      },
    ),
    { numRuns: 300 },
  );
});

test("YAML of any shape gives a kubeconfig or a refusal, never anything else", { timeout: 30_000 }, () => {
  const fields = [
    "contexts",
    "clusters",
    "users",
    "name",
    "user",
    "exec",
    "env",
    "as-user-extra",
    "extensions",
    "cluster",
  ];
  const shape = fc.letrec((tie) => ({
    node: fc.oneof(
      { depthSize: "small", maxDepth: 6 },
      fc.constantFrom(null, true, 5, "", "a", "yes"),
      fc.array(tie("node"), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...fields), tie("node"), { maxKeys: 4 }),
    ),
  })).node;
  fc.assert(
    fc.property(shape, (value) => {
      expect(["none", "KIR4001"]).toContain(errorOf(() => parseKubeconfig(stringify(value), path))?.code ?? "none");
    }),
    { numRuns: 200 },
  );
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(["none", "KIR4001"]).toContain(errorOf(() => parseKubeconfig(text, path))?.code ?? "none");
    }),
    { numRuns: 200 },
  );
});

function errorOf(work: () => unknown): KirikaeError | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof KirikaeError) return error;
    throw error;
  }
}
