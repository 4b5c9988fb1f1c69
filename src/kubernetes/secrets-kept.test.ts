import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { nobody } from "../../test/kube-user.fixture.ts";
import { createCredentials } from "./create-credentials.ts";
import { KubeConnection } from "./kube-connection.ts";
import type { ConfigUser } from "./kubeconfig.ts";

const secret = "s3cret-token";
const target = { context: "prod", cluster: {}, env: process.env };

function shell(script: string): ConfigUser {
  const apiVersion = "client.authentication.k8s.io/v1";
  const more = { env: {}, interactiveMode: "Never", provideClusterInfo: false, installHint: undefined } as const;
  return { ...nobody, exec: { apiVersion, command: "/bin/sh", args: ["-c", script], ...more } };
}

test("a server that sends the token back, or elsewhere, does not make it known", async () => {
  const paths: string[] = [];
  const server = createServer((asked, response) => {
    paths.push(asked.url ?? "");
    response.writeHead(307, { location: "/elsewhere" }).end(`you are ${asked.headers.authorization ?? ""}`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port.
  const { port } = server.address() as AddressInfo;
  const where = { url: new URL(`http://127.0.0.1:${port}`), authority: undefined, insecureSkipTlsVerify: false };
  const credentials = await createCredentials({ ...nobody, token: secret }, target);
  const connection = new KubeConnection(
    { ...where, context: "prod", tlsServerName: undefined, proxyEnv: {} },
    credentials,
  );
  onTestFinished(() => connection.close());
  const answer = await connection.send({ method: "GET", path: "/api" });
  expect(answer).toEqual({ status: 307, body: "you are Bearer (secret)" });
  expect(paths).toEqual(["/api"]);
});

test.each([
  `echo 'authorization: Bearer ${secret}' >&2; exit 1`,
  "echo 'got eyJhbGciOiJub25lIn0.czNjcmV0.s3cret-token' >&2; exit 1",
])("what a plugin complains of is told without its tokens: %s", async (script) => {
  const credentials = await createCredentials(shell(script), target);
  const error: unknown = await credentials.current().catch((reason: unknown) => reason);
  expect(String(error)).toContain("(secret)");
  expect(String(error)).not.toContain(secret);
});

test("a plugin whose children stay is not waited for longer than itself", { timeout: 10_000 }, async () => {
  const answer = { apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential", status: { token: secret } };
  const credentials = await createCredentials(shell(`sleep 20 & echo '${JSON.stringify(answer)}'`), target);
  expect((await credentials.current()).headers).toEqual({ authorization: `Bearer ${secret}` });
});

test("a plugin that prints without an end is stopped", { timeout: 10_000 }, async () => {
  const credentials = await createCredentials(shell(`yes ${secret}; true`), target);
  const error: unknown = await credentials.current().catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "KIR4003" });
  expect(String(error)).not.toContain(secret);
});
