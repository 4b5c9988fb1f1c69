import { expect, test } from "vitest";
import { parseManifests } from "./parse-manifests.ts";

const marker = "MARKERxyz";
const workload = "apiVersion: kirikae.dev/v1alpha1\nkind: LocalWorkload\nmetadata: {name: a, labels: {app: a}}\n";
const head = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n";

test.each([
  ["no base64", `${head}data: {tls.key: ${marker}!}`],
  ["a string for a mapping", `${head}stringData: ${marker}\ntype: {a: ${marker}}`],
  ["a list for a mapping", `${head}data: [${marker}]\nmetadata: ${marker}`],
  ["a number for a string", `${head.replace("a}", "a, labels: {pin: 987654321}}")}stringData: {a: [987654321]}`],
  ["a misspelt field", `${head}stringdata: {a: ${marker}}`],
  ["a broken line", `${head}stringData:\n  password: ${marker}\n   more: ${marker}: x`],
  ["a quote without end", `${head}stringData:\n  password: "${marker}`],
  ["a reserved character", `${head}stringData:\n  password: @${marker}`],
  ["an alias", `${head}stringData:\n  password: *${marker}`],
  ["a tag", `${head}stringData:\n  password: !${marker} x`],
  ["a tag of a list", `${head}stringData: !${marker} [x]`],
  ["a block with more in its head", `${head}stringData:\n  password: |${marker}\n    x`],
  ["a block that is not indented", `${head}stringData:\n  tls.key: |\n    -----BEGIN\n${marker}\n  more: x`],
  ["an escape", `${head}stringData: {a: "\\q${marker}\\U${marker}"}`],
  ["a key given twice", `${head}stringData:\n  ${marker}: a\n  ${marker}: b`],
  ["a merge of text", `${head}stringData:\n  <<: ${marker}`],
  ["a list for a key", `${head}stringData:\n  ? [${marker}]\n  : x`],
  ["a tab", `${head}stringData:\n\tpassword: ${marker}`],
  ["broken JSON", `{"apiVersion":"v1","kind":"Secret","stringData":{"a":"${marker}" "b":1}}`],
  [
    "text in a List",
    `apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, data: *${marker}}\n- ${marker}`,
  ],
  ["text alone", marker],
  ["a CA", `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {ca.crt: [${marker}]}\nbinaryData: ${marker}`],
  ["a kind that does not exist", `apiVersion: v1\nkind: Secrets\nmetadata: {name: a}\nstringData: *${marker}`],
])("what stands in a Secret is in no finding: %s", (_, text) => {
  const { diagnostics } = parseManifests([{ path: "a.yaml", text }], { defaultNamespace: "default" });
  expect(diagnostics.length).toBeGreaterThan(0);
  expect(JSON.stringify(diagnostics)).not.toMatch(/MARKERxyz|987654321/);
});

test("what a process is given in its environment is in no finding", () => {
  for (const env of [`[TOKEN=${marker}]`, marker, `[{name: TOKEN, value: [${marker}]}]`, "{PIN: 987654321}"]) {
    const { diagnostics } = parseManifests([{ path: "a.yaml", text: `${workload}spec: {command: run, env: ${env}}` }], {
      defaultNamespace: "default",
    });
    expect(diagnostics).toMatchObject([{ code: "KIR1005" }]);
    expect(JSON.stringify(diagnostics)).not.toMatch(/MARKERxyz|987654321/);
  }
});

test("elsewhere a finding says what it is about", () => {
  const text = `kind: Service\napiVersion: v1\nmetadata: {name: a, labels: *gone}`;
  const { diagnostics } = parseManifests([{ path: "a.yaml", text }], { defaultNamespace: "default" });
  expect(diagnostics).toMatchObject([{ code: "KIR1001", message: 'The alias "*gone" names no anchor above it.' }]);
});

test("two keys that YAML 1.1 makes one boolean of are told by what is written", () => {
  const text = `kind: Service\napiVersion: v1\nmetadata: {name: a, labels: {on: x, y: z}}`;
  const { diagnostics } = parseManifests([{ path: "a.yaml", text }], { defaultNamespace: "default" });
  expect(diagnostics).toMatchObject([
    {
      code: "KIR1001",
      message: 'The key "y" is read as "true", as Kubernetes reads it, and "true" is there already; quote it.',
    },
  ]);
});
