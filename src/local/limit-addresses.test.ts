import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { sendRequest } from "../judges/send-request.ts";
import { postJson } from "../notify/post-json.ts";
import { limitAddresses } from "./limit-addresses.ts";

const rule = limitAddresses({ allowed: [] });

describe("an address as it stands", () => {
  test.each([
    "http://127.0.0.1:8081/metrics",
    "http://127.9.9.9/",
    "http://0x7f.1/",
    "http://2130706433/",
    "http://0.0.0.0:8081/",
    "http://[::1]:15000/config_dump",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[64:ff9b::169.254.169.254]/",
    "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
    "http://[fe80::1]/",
    "http://[febf::1]/",
    "http://[fd00:ec2::254]/",
    "http://[fd00:ec2::23]/v1/credentials",
    "http://[fd00:c1::a9fe:a9fe]/",
    "http://[64:ff9b::168.63.129.16]/",
    "http://[64:ff9b:1::169.254.169.254]/",
    "http://[::169.254.169.254]/",
    "http://[2002:a9fe:a9fe::1]/",
    "http://[2002:7f00:1::]/",
    "http://100.100.100.200/",
  ])("%s is refused", (url) => {
    expect(() => rule(new URL(url))).toThrow("is an address of the controller's own machine");
  });

  test.each([
    "http://10.0.0.1/",
    "http://169.253.0.1/",
    "http://192.168.0.1/",
    "http://[fd00::1]/",
    "http://[fec0::1]/",
    "http://[64:ff9b::10.0.0.1]/",
    "http://[2002:a00:1::]/",
    "http://[2001:db8::1]/",
    "https://prometheus.monitoring:9090/",
  ])("%s is not", (url) => {
    expect(() => rule(new URL(url))).not.toThrow();
  });

  test("is not where it was named, with its port or for all of them", () => {
    const some = limitAddresses({ allowed: ["127.0.0.1:9090", "[::1]", "sidecar.local:443"] });
    for (const url of ["http://127.0.0.1:9090/", "http://[::1]:1/", "https://sidecar.local/"])
      expect(some(new URL(url))).toEqual({});
    expect(() => some(new URL("http://127.0.0.1:15000/"))).toThrow("own machine");
    expect(some(new URL("http://sidecar.local/"))).toHaveProperty("lookup");
  });
});

/** A server on loopback, as the controller's own health or a sidecar's admin is, and who has asked it. */
async function listen(): Promise<{ readonly port: number; readonly asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.end("{}");
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, asked };
}

/** DNS that answers each question with the next of these. */
function namesOf(...answers: readonly (readonly string[])[]) {
  const left = [...answers];
  return limitAddresses({
    allowed: ["named.example"],
    resolve: (_host, take) =>
      take(
        null,
        (left.shift() ?? []).map((address) => ({ address, family: 4 })),
      ),
  });
}

function ask(url: string, addresses: ReturnType<typeof namesOf>) {
  const signal = new AbortController().signal;
  return sendRequest({ url, method: "GET", headers: {}, body: undefined, timeoutMs: 2_000, signal, addresses });
}

describe("a name", () => {
  test("that leads to loopback is never connected to, whichever of its addresses that is", async () => {
    const { port, asked } = await listen();
    const url = `http://judge.example:${port}/`;
    await expect(ask(url, namesOf(["127.0.0.1"]))).rejects.toThrow(
      `judge.example:${port} could not be asked: KIR4076 judge.example is 127.0.0.1, which is an address of the controller's own machine`,
    );
    await expect(ask(url, namesOf(["10.255.255.1", "127.0.0.1"]))).rejects.toThrow("KIR4076");
    expect(asked).toEqual([]);
  });

  test("is looked at by the answer that it is connected by, and not by an earlier one", async () => {
    const { port, asked } = await listen();
    const url = `http://rebound.example:${port}/`;
    const rebinding = namesOf(["192.0.2.1"], ["127.0.0.1"]);
    const first = rebinding(new URL(url)).lookup;
    const harmless = await new Promise((resolve) => {
      first?.("rebound.example", { all: false }, (_error, address) => resolve(address));
    });
    expect(harmless).toBe("192.0.2.1");
    await expect(ask(url, rebinding)).rejects.toThrow("KIR4076");
    expect(asked).toEqual([]);
  });

  test("of this machine is one as well, and is asked where it was named", async () => {
    const { port, asked } = await listen();
    await expect(ask(`http://localhost:${port}/`, rule)).rejects.toThrow("KIR4076");
    const named = limitAddresses({ allowed: [`localhost:${port}`] });
    await expect(ask(`http://localhost:${port}/fine`, named)).resolves.toMatchObject({ status: 200 });
    expect(asked).toEqual(["/fine"]);
  });

  test("of a webhook is refused for good", async () => {
    const { port, asked } = await listen();
    const signal = new AbortController().signal;
    const post = { body: "{}", headers: {}, timeoutMs: 2_000, signal };
    const toName = await postJson({ ...post, url: `http://hook.example:${port}/`, addresses: namesOf(["127.0.0.1"]) });
    const toAddress = await postJson({ ...post, url: `http://127.0.0.1:${port}/`, addresses: rule });
    for (const outcome of [toName, toAddress])
      expect(outcome).toMatchObject({ kind: "refused", reason: expect.stringMatching(/^KIR4076 /u) });
    expect(asked).toEqual([]);
  });
});
