import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect, createServer as createTcpServer } from "node:net";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { issueCertificate } from "../../test/certificates.fixture.ts";
import { temporaryFolder } from "../../test/temporary-folder.ts";
import { connectInCluster, connectKube } from "./connect-kube.ts";
import type { KubeApi, WatchEvent } from "./kube-api.ts";
import { KubeConnection } from "./kube-connection.ts";
import { KubeError } from "./kube-error.ts";
import { kubeKinds } from "./kube-kinds.ts";

const { configMap } = kubeKinds;
const one = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "one", namespace: "a", resourceVersion: "1" } };

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

interface Config {
  readonly cluster?: object;
  readonly user?: object;
  readonly env?: NodeJS.ProcessEnv;
}

/** A client by a kubeconfig, because that is how everybody gets one. */
async function connectTo(server: string, { cluster = {}, user = {}, env = {} }: Config = {}): Promise<KubeApi> {
  await using folder = await temporaryFolder();
  const kubeconfig = join(folder.path, "config");
  const config = {
    "current-context": "test",
    contexts: [{ name: "test", context: { cluster: "test", user: "test", namespace: "a" } }],
    clusters: [{ name: "test", cluster: { server, ...cluster } }],
    users: [{ name: "test", user }],
  };
  await writeFile(kubeconfig, JSON.stringify(config));
  const api = await connectKube({ kubeconfig, env });
  onTestFinished(() => api[Symbol.asyncDispose]());
  return api;
}

async function serve(listener: RequestListener): Promise<KubeApi> {
  return connectTo(`http://127.0.0.1:${await listen(createServer(listener))}`);
}

function itemOf(name: string): object {
  return { metadata: { name, namespace: "a" } };
}

function contextOf(name: string, cluster: string, user?: string): object {
  return { name, context: { cluster, user } };
}

function encodePem(pem: string): string {
  return Buffer.from(pem).toString("base64");
}

async function refusalOf(work: Promise<unknown>): Promise<KubeError> {
  const error: unknown = await work.catch((reason: unknown) => reason);
  if (!(error instanceof KubeError)) throw new Error(`no refusal but ${String(error)}`);
  return error;
}

test("a server that asks to come back later is asked again after the time that it says", async () => {
  const times: number[] = [];
  const api = await serve((_request, response) => {
    times.push(performance.now());
    const status = [429, 503, 200][times.length - 1] ?? 500;
    response.writeHead(status, status === 200 ? {} : { "retry-after": "0.2" }).end(JSON.stringify(one));
  });
  expect(await api.get(configMap, { name: "one" })).toMatchObject({ metadata: { name: "one" } });
  expect(times).toHaveLength(3);
  expect((times[2] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(390);
});

test("a server that is always busy is unreachable in the end, and a 500 or a bare 503 is not asked again", async () => {
  const asked: string[] = [];
  const api = await serve(({ url = "" }, response) => {
    const status = url.slice(-3);
    asked.push(status);
    response.writeHead(Number(status), status === "429" ? { "retry-after": "0" } : {}).end("<html>");
  });
  for (const status of [429, 503, 500]) {
    const refusal = await refusalOf(api.get(configMap, { name: `is-${status}` }));
    expect(refusal).toMatchObject({ code: "KIR4004", status, isUnreachable: true });
  }
  expect(asked).toEqual([...Array<string>(6).fill("429"), "503", "500"]);
});

test("an answer that never comes, stops in the middle or is no JSON is none", async () => {
  const api = await serve(({ url }, response) => {
    if (url?.endsWith("half")) response.writeHead(200, { "content-length": "100" }).write("{");
    else if (url?.endsWith("page")) response.end("<html>sign in</html>");
    else if (url?.endsWith("gone")) response.destroy();
  });
  const never = await refusalOf(api.get(configMap, { name: "never" }, { timeoutMs: 100 }));
  expect(never.message).toMatch(/gave no answer: no answer within 0\.1 s$/u);
  expect(await refusalOf(api.get(configMap, { name: "half" }, { timeoutMs: 100 }))).toMatchObject({ code: "KIR4004" });
  expect((await refusalOf(api.get(configMap, { name: "page" }))).message).toContain("does not speak JSON");
  expect(await refusalOf(api.get(configMap, { name: "gone" }))).toMatchObject({ isUnreachable: true });
  const stop = AbortSignal.abort(new Error("stopped"));
  await expect(api.get(configMap, { name: "never" }, { signal: stop })).rejects.toThrow("stopped");
});

test("an answer without an end is not kept", { timeout: 30_000 }, async () => {
  const chunk = Buffer.alloc(1024 * 1024, 0x20);
  const api = await serve((_request, response) => {
    const more = (): void => {
      while (response.write(chunk));
      response.once("drain", more);
    };
    more();
  });
  const refusal = await refusalOf(api.get(configMap, { name: "one" }));
  expect(refusal.message).toContain("longer than 67108864 bytes");
});

test("events are whole however their bytes are cut", async () => {
  const text = "日本語 🎌 \\n".repeat(50);
  const lines = [
    { type: "ADDED", object: { ...one, data: { text } } },
    { type: "BOOKMARK", object: { kind: "ConfigMap", apiVersion: "v1", metadata: { resourceVersion: "7" } } },
    { type: "MODIFIED", object: { ...one, data: { long: "x".repeat(300_000) } } },
    { type: "DELETED", object: one },
  ];
  const bytes = Buffer.from(`${lines.map((line) => JSON.stringify(line)).join("\n")}\n{"type":"ADDED","obj`);
  const api = await serve((_request, response) => {
    response.writeHead(200);
    // Each byte of the first event alone, and then pieces that end nowhere in particular.
    const pieces = [...bytes.subarray(0, 200)].map((byte) => Buffer.of(byte));
    for (let from = 200; from < bytes.length; from += 4_099) pieces.push(bytes.subarray(from, from + 4_099));
    const next = (): void => {
      const piece = pieces.shift();
      if (piece === undefined) response.end();
      else response.write(piece, () => setImmediate(next));
    };
    next();
  });
  const events: WatchEvent[] = [];
  const { signal } = new AbortController();
  for await (const event of api.watch(configMap, { resourceVersion: "1", signal })) events.push(event);
  expect(events).toEqual([
    { kind: "added", object: lines[0]?.object },
    { kind: "bookmark", resourceVersion: "7" },
    { kind: "modified", object: lines[2]?.object },
    { kind: "deleted", object: one },
  ]);
});

test("a watch asks for bookmarks and an end, and its errors are those of the API", async () => {
  const asked: URL[] = [];
  const api = await serve(({ url }, response) => {
    asked.push(new URL(`http://a${url}`));
    const status = { kind: "Status", code: 410, reason: "Expired", message: "too old" };
    if (asked.length === 1) response.end(`${JSON.stringify({ type: "ERROR", object: status })}\n`);
    else if (asked.length === 2) response.writeHead(410).end(JSON.stringify(status));
    else response.end('{"type":"ADDED"\n');
  });
  const { signal } = new AbortController();
  const watch = async (): Promise<void> => {
    for await (const event of api.watch(configMap, { namespace: "a", resourceVersion: "5", signal })) throw event;
  };
  expect(await refusalOf(watch())).toMatchObject({ isExpired: true, code: "KIR4013" });
  expect(await refusalOf(watch())).toMatchObject({ isExpired: true });
  expect(await refusalOf(watch())).toMatchObject({ isUnreachable: true });
  const query = Object.fromEntries(asked[0]?.searchParams ?? []);
  expect(query).toMatchObject({ watch: "true", allowWatchBookmarks: "true", resourceVersion: "5" });
  expect(Number(query["timeoutSeconds"])).toBeGreaterThanOrEqual(300);
});

test("a watch on which nothing comes is ended", async () => {
  const port = await listen(createServer((_request, response) => void response.writeHead(200).write("\n")));
  const server = {
    context: "test",
    url: new URL(`http://127.0.0.1:${port}`),
    authority: undefined,
    insecureSkipTlsVerify: false,
    tlsServerName: undefined,
    proxyEnv: {},
  };
  const anybody = { current: async () => ({ headers: {} }), refused: () => false };
  const connection = new KubeConnection(server, anybody);
  const response = await connection.open("/", { signal: new AbortController().signal, idleMs: 100 });
  await expect(once(response.resume(), "end")).rejects.toThrow("nothing came for 0.1 s");
  connection.close();
});

test("a token that the server refuses is fetched anew once", async () => {
  await using folder = await temporaryFolder();
  const calls = join(folder.path, "calls");
  await writeFile(calls, "");
  const script = `const { appendFileSync, readFileSync } = require("fs"); appendFileSync(process.argv[1], "x");
    console.log(JSON.stringify({ apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential",
      status: { token: readFileSync(process.argv[1], "utf8") } }))`;
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1",
    command: process.execPath,
    args: ["-e", script, calls],
  };
  const seen: (string | undefined)[] = [];
  const port = await listen(
    createServer(({ headers }, response) => {
      seen.push(headers.authorization);
      response.writeHead(headers.authorization === "Bearer xx" ? 200 : 401).end(JSON.stringify(one));
    }),
  );
  const api = await connectTo(`http://127.0.0.1:${port}`, { user: { exec } });
  expect(await api.get(configMap, { name: "one" })).toMatchObject(one);
  expect(seen).toEqual(["Bearer x", "Bearer xx"]);
  const constant = await connectTo(`http://127.0.0.1:${port}`, { user: { token: "wrong" } });
  expect(await refusalOf(constant.get(configMap, { name: "one" }))).toMatchObject({ code: "KIR4009" });
  expect(seen).toHaveLength(3);
});

test("pages of a list that the server has forgotten are asked for from the beginning", async () => {
  const asked: (string | null)[] = [];
  const api = await serve(({ url }, response) => {
    const next = new URL(`http://a${url}`).searchParams.get("continue");
    asked.push(next);
    const page = { apiVersion: "v1", kind: "ConfigMapList" };
    if (next === null) {
      const metadata = { resourceVersion: "9", continue: "b" };
      response.end(JSON.stringify({ ...page, metadata, items: [itemOf("x")] }));
    } else if (asked.length === 2) response.writeHead(410).end(JSON.stringify({ kind: "Status", reason: "Expired" }));
    else response.end(JSON.stringify({ ...page, metadata: { resourceVersion: "9" }, items: [itemOf("y")] }));
  });
  const list = await api.list(configMap);
  expect(asked).toEqual([null, "b", null, "b"]);
  expect(list).toEqual({
    resourceVersion: "9",
    items: ["x", "y"].map((name) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "a" } })),
  });
});

test("certificates are checked on both sides, and a server may stand under another name", async () => {
  const authority = issueCertificate({ name: "authority" });
  const server = issueCertificate({ name: "server", hosts: ["kubernetes"], issuer: authority });
  const client = issueCertificate({ name: "jane", issuer: authority });
  const tls = { key: server.key, cert: server.certificate, ca: authority.certificate, requestCert: true };
  const port = await listen(
    createTlsServer(tls, ({ socket }, response) => {
      const { CN } = (socket as unknown as { getPeerCertificate(): { subject: { CN: string } } }).getPeerCertificate()
        .subject;
      response.end(JSON.stringify({ ...one, data: { CN } }));
    }),
  );
  const cluster = { "certificate-authority-data": encodePem(authority.certificate), "tls-server-name": "kubernetes" };
  const user = { "client-certificate-data": encodePem(client.certificate), "client-key-data": encodePem(client.key) };
  const url = `https://127.0.0.1:${port}`;
  const api = await connectTo(url, { cluster, user });
  expect(await api.get(configMap, { name: "one" })).toMatchObject({ data: { CN: "jane" } });
  const elsewhere = await connectTo(url, { cluster: { ...cluster, "tls-server-name": "other" }, user });
  const refusal = await refusalOf(elsewhere.get(configMap, { name: "one" }));
  expect(refusal).toMatchObject({ code: "KIR4004" });
  expect(refusal.hint).toContain("certificate");
  const untrusting = await connectTo(url, { user });
  expect((await refusalOf(untrusting.get(configMap, { name: "one" }))).hint).toContain("certificate");
  const careless = await connectTo(url, { cluster: { "insecure-skip-tls-verify": true }, user });
  expect(await careless.get(configMap, { name: "one" })).toMatchObject({ data: { CN: "jane" } });
  const keyless = connectTo(url, { user: { "client-certificate-data": encodePem(client.certificate) } });
  await expect(keyless).rejects.toMatchObject({ code: "KIR4003" });
});

test("a proxy carries the connection, by the cluster's proxy-url or by the environment", async () => {
  const authority = issueCertificate({ name: "authority" });
  const server = issueCertificate({ name: "server", hosts: ["api.test"], issuer: authority });
  const target = await listen(
    createTlsServer({ key: server.key, cert: server.certificate }, (_request, response) =>
      response.end(JSON.stringify(one)),
    ),
  );
  const asked: string[] = [];
  const proxy = createServer();
  proxy.on("connect", ({ url = "" }, near) => {
    asked.push(url);
    const far = connect(target, "127.0.0.1", () => {
      near.write("HTTP/1.1 200 OK\r\n\r\n");
      far.pipe(near).pipe(far);
    });
    near.on("close", () => far.destroy());
    near.on("error", () => {});
    far.on("error", () => {});
  });
  const proxyUrl = `http://127.0.0.1:${await listen(proxy)}`;
  const data = Buffer.from(authority.certificate).toString("base64");
  const cluster = { "certificate-authority-data": data };
  const named = await connectTo("https://api.test:6443", { cluster: { ...cluster, "proxy-url": proxyUrl } });
  expect(await named.get(configMap, { name: "one" })).toMatchObject(one);
  const found = await connectTo("https://api.test:6443", { cluster, env: { HTTPS_PROXY: proxyUrl } });
  expect(await found.get(configMap, { name: "one" })).toMatchObject(one);
  expect(asked).toEqual(["api.test:6443", "api.test:6443"]);
  const socks = connectTo("https://api.test", { cluster: { "proxy-url": "socks5://127.0.0.1:1" } });
  await expect(socks).rejects.toMatchObject({ code: "KIR4001" });
});

test("paths of the API stand below the server's own", async () => {
  const paths: (string | undefined)[] = [];
  const port = await listen(
    createServer(({ url }, response) => {
      paths.push(url);
      response.end(JSON.stringify(one));
    }),
  );
  const api = await connectTo(`http://127.0.0.1:${port}/k8s/clusters/c-1/`);
  await api.get(configMap, { name: "a/b" });
  await api.get(kubeKinds.lease, { namespace: "n", name: "l" });
  await api.get(kubeKinds.namespace, { name: "n" });
  expect(paths).toEqual([
    "/k8s/clusters/c-1/api/v1/namespaces/a/configmaps/a%2Fb",
    "/k8s/clusters/c-1/apis/coordination.k8s.io/v1/namespaces/n/leases/l",
    "/k8s/clusters/c-1/api/v1/namespaces/n",
  ]);
});

test("contexts that cannot be used are refused before anything is asked", async () => {
  await using folder = await temporaryFolder();
  const kubeconfig = join(folder.path, "config");
  const contexts = [
    contextOf("a", "x"),
    contextOf("b", "absent"),
    contextOf("c", "x", "absent"),
    contextOf("d", "ftp"),
  ];
  const clusters = ["x", "ftp"].map((name) => ({ name, cluster: { server: name === "x" ? "https://x" : "ftp://x" } }));
  await writeFile(kubeconfig, JSON.stringify({ contexts, clusters }));
  const open = (name?: string) => connectKube({ kubeconfig, context: name, env: {} });
  await expect(open("z")).rejects.toMatchObject({ code: "KIR4002", details: { known: ["a", "b", "c", "d"] } });
  await expect(open("z")).rejects.toThrow("the kubeconfig has no context z; known are a, b, c, d");
  await expect(open()).rejects.toThrow("no current context");
  for (const name of ["b", "c", "d"]) await expect(open(name)).rejects.toMatchObject({ code: "KIR4001" });
  expect(await open("a")).toMatchObject({ context: "a", defaultNamespace: "default" });
  const absent = { kubeconfig: join(folder.path, "absent"), env: {} };
  await expect(connectKube(absent)).rejects.toThrow("there is no such file");
  await expect(connectKube({ env: { HOME: folder.path } })).rejects.toThrow("there is no kubeconfig");
  const listed = { env: { KUBECONFIG: `${join(folder.path, "absent")}:${kubeconfig}` } };
  expect(await connectKube({ ...listed, context: "a" })).toMatchObject({ context: "a" });
});

test("a pod speaks as its service account, whose token may change", async () => {
  await using folder = await temporaryFolder();
  const authority = issueCertificate({ name: "authority" });
  const server = issueCertificate({ name: "server", hosts: ["localhost"], issuer: authority });
  const tokens: (string | undefined)[] = [];
  const port = await listen(
    createTlsServer({ key: server.key, cert: server.certificate }, ({ headers }, response) => {
      tokens.push(headers.authorization);
      response.end(JSON.stringify(one));
    }),
  );
  const env = { KUBERNETES_SERVICE_HOST: "localhost", KUBERNETES_SERVICE_PORT: String(port) };
  await expect(connectInCluster({ env, folder: folder.path })).rejects.toMatchObject({ code: "KIR4012" });
  await writeFile(join(folder.path, "token"), "one");
  await writeFile(join(folder.path, "namespace"), "kirikae\n");
  await writeFile(join(folder.path, "ca.crt"), authority.certificate);
  await using api = await connectInCluster({ env, folder: folder.path });
  expect(api).toMatchObject({ context: "in-cluster", defaultNamespace: "kirikae" });
  await api.get(configMap, { name: "one" });
  expect(tokens).toEqual(["Bearer one"]);
  await expect(connectInCluster({ env: {}, folder: folder.path })).rejects.toThrow("KUBERNETES_SERVICE_HOST");
});

test("a server that does not speak at all is not waited for longer than it may take", async () => {
  const silent = createTcpServer(() => {});
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  onTestFinished(() => void silent.close());
  const { port } = silent.address() as AddressInfo;
  const api = await connectTo(`https://127.0.0.1:${port}`, { cluster: { "insecure-skip-tls-verify": true } });
  const refusal = await refusalOf(api.getText("/readyz", { timeoutMs: 150 }));
  expect(refusal.message).toContain("no answer within 0.15 s");
});

test("what a pod refuses behind the API server is not said of the one who asks", async () => {
  const api = await serve((request, response) => {
    response.writeHead(401);
    response.end(request.url?.includes("/proxy/") === true ? "" : '{"kind":"Status","code":401}');
  });
  const refused = await api
    .getText("/api/v1/namespaces/a/pods/b:15014/proxy/debug/syncz")
    .catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: "KIR4011", message: expect.stringContaining("answers 401, and not the API") });
  await expect(api.getText("/version")).rejects.toMatchObject({ code: "KIR4009" });
});
