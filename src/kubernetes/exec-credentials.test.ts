import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { nobody } from "../../test/kube-user.fixture.ts";
import { temporaryFolder } from "../../test/temporary-folder.ts";
import { createCredentials } from "./create-credentials.ts";
import type { Credential, Credentials } from "./credential.ts";
import type { ExecTarget } from "./exec-credentials.ts";
import type { ConfigExec, ConfigUser } from "./kubeconfig.ts";
import { KubeError } from "./kube-error.ts";

const v1 = "client.authentication.k8s.io/v1";
const target: ExecTarget = { context: "prod", cluster: { server: "https://a" }, env: process.env };

/** A plugin that is a script of Node; `calls` is a file to which each run adds a line. */
function plugin(script: string, more: Partial<ConfigExec> = {}): ConfigUser {
  const exec: ConfigExec = {
    apiVersion: v1,
    command: process.execPath,
    args: ["-e", script],
    env: {},
    interactiveMode: "Never",
    provideClusterInfo: false,
    installHint: undefined,
    ...more,
  };
  return { ...nobody, exec };
}

function answering(status: object, calls: string): string {
  const answer = JSON.stringify({ apiVersion: v1, kind: "ExecCredential", status });
  return `require("fs").appendFileSync(${JSON.stringify(calls)}, "x"); console.log(${JSON.stringify(answer)})`;
}

function certificateUntil(fromNowMs: number): object {
  const expirationTimestamp = new Date(Date.now() + fromNowMs).toISOString();
  return { clientCertificateData: "CERT", clientKeyData: "KEY", expirationTimestamp };
}

async function refusalOf(user: ConfigUser): Promise<KubeError> {
  const error: unknown = await createCredentials(user, target)
    .then((credentials: Credentials): Promise<Credential> => credentials.current())
    .catch((reason: unknown) => reason);
  if (!(error instanceof KubeError)) throw new Error("no refusal");
  expect(error).toMatchObject({ code: "KIR4003", isUnreachable: false });
  return error;
}

test("a plugin is asked once for all who wait, and again when the server refuses what it gave", async () => {
  await using folder = await temporaryFolder();
  const calls = join(folder.path, "calls");
  const credentials = await createCredentials(plugin(answering({ token: "sesame" }, calls)), target);
  const all = await Promise.all(Array.from({ length: 5 }, () => credentials.current()));
  expect(all.map(({ headers }) => headers["authorization"])).toEqual(Array(5).fill("Bearer sesame"));
  await credentials.current();
  expect(await readFile(calls, "utf8")).toBe("x");
  expect(credentials.refused()).toBe(true);
  expect(credentials.refused()).toBe(false);
  await credentials.current();
  expect(await readFile(calls, "utf8")).toBe("xx");
});

test("what a plugin gave is used until its end, and a certificate goes with it", async () => {
  await using folder = await temporaryFolder();
  const calls = join(folder.path, "calls");
  const over = await createCredentials(plugin(answering(certificateUntil(-1), calls)), target);
  expect(await over.current()).toEqual({ headers: {}, certificate: { cert: "CERT", key: "KEY" } });
  await over.current();
  expect(await readFile(calls, "utf8")).toBe("xx");
  const lasting = await createCredentials(plugin(answering(certificateUntil(60_000), calls)), target);
  await lasting.current();
  await lasting.current();
  expect(await readFile(calls, "utf8")).toBe("xxx");
});

test("a plugin is told its environment, and the cluster where it wants to know", async () => {
  const script = `console.log(JSON.stringify({ apiVersion: ${JSON.stringify(v1)}, kind: "ExecCredential",
    status: { token: process.env.REGION + " " + process.env.KUBERNETES_EXEC_INFO } }))`;
  const user = plugin(script, { env: { REGION: "eu" }, provideClusterInfo: true });
  const { headers } = await (await createCredentials(user, target)).current();
  const [, region, info = ""] = /^Bearer (\S+) (.*)$/u.exec(String(headers["authorization"])) ?? [];
  expect(region).toBe("eu");
  expect(JSON.parse(info)).toEqual({
    apiVersion: v1,
    kind: "ExecCredential",
    spec: { interactive: false, cluster: { server: "https://a" } },
  });
});

test("a plugin that gives nothing says why, and never what it printed", async () => {
  const failed = await refusalOf(plugin(`console.log("sesame"); console.error("a\\nnot signed in"); process.exit(3)`));
  expect(failed.message).toMatch(/ended with 3: not signed in$/u);
  expect(failed.message).not.toContain("sesame");
  for (const printed of ["sesame", "{", "null", "5", `{"kind":"ExecCredential","apiVersion":"${v1}beta1"}`]) {
    const refusal = await refusalOf(plugin(`console.log(${JSON.stringify(printed)})`));
    expect(refusal.message).toContain("did not answer with an ExecCredential");
    expect(refusal.message).not.toContain("sesame");
  }
  const empty = JSON.stringify({ apiVersion: v1, kind: "ExecCredential", status: { token: "" } });
  const without = await refusalOf(plugin(`console.log(${JSON.stringify(empty)})`));
  expect(without.message).toContain("neither a token nor a certificate");
});

test("a plugin that cannot be used is refused by name, with its own hint", async () => {
  const absent = await refusalOf(plugin("", { command: "no-such-plugin", installHint: "install it\n" }));
  expect(absent.message).toContain("no-such-plugin cannot be run");
  expect(absent.hint).toBe("install it");
  const old = await refusalOf(plugin("", { apiVersion: "client.authentication.k8s.io/v1alpha1" }));
  expect(old.message).toContain("speaks client.authentication.k8s.io/v1alpha1");
  const attended = await refusalOf(plugin("", { interactiveMode: "Always" }));
  expect(attended.message).toContain("wants a terminal");
  const provider = await refusalOf({ ...nobody, authProvider: "gcp" });
  expect(provider.message).toContain("auth-provider gcp");
  expect(provider.hint).toContain("gke-gcloud-auth-plugin");
});

test("a token wins over a name with a password, and both win over a plugin", async () => {
  const user = { ...plugin("process.exit(1)"), basic: { username: "jane", password: "ü:x" } };
  const basic = await (await createCredentials(user, target)).current();
  const expected = Buffer.from("jane:ü:x").toString("base64");
  expect(basic.headers["authorization"]).toBe(`Basic ${expected}`);
  const token = await (await createCredentials({ ...user, token: "t" }, target)).current();
  expect(token.headers["authorization"]).toBe("Bearer t");
});

test("a token file is read again when the server refuses what it held", async () => {
  await using folder = await temporaryFolder();
  const tokenFile = join(folder.path, "token");
  await writeFile(tokenFile, "one\n");
  const credentials = await createCredentials({ ...nobody, tokenFile, token: "older" }, target);
  expect((await credentials.current()).headers["authorization"]).toBe("Bearer one");
  await writeFile(tokenFile, "two\n");
  expect((await credentials.current()).headers["authorization"]).toBe("Bearer one");
  credentials.refused();
  expect((await credentials.current()).headers["authorization"]).toBe("Bearer two");
  await writeFile(tokenFile, "");
  credentials.refused();
  await expect(credentials.current()).rejects.toThrow("is empty");
  expect((await refusalOf({ ...nobody, tokenFile: join(folder.path, "absent") })).message).toContain("ENOENT");
});

test("who is impersonated is said in headers", async () => {
  const impersonate = { user: "root", uid: "7", groups: ["a", "b"], extra: new Map([["example.com/why", ["c"]]]) };
  const { headers } = await (await createCredentials({ ...nobody, token: "t", impersonate }, target)).current();
  expect(headers).toEqual({
    authorization: "Bearer t",
    "impersonate-user": "root",
    "impersonate-uid": "7",
    "impersonate-group": ["a", "b"],
    "impersonate-extra-example.com%2Fwhy": ["c"],
  });
});
