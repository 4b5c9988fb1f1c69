import { X509Certificate } from "node:crypto";
import { beforeEach, expect, test } from "vitest";
import type { KubeApi } from "../kubernetes/kube-api.ts";
import { KubeError } from "../kubernetes/kube-error.ts";
import type { KubeKind, KubeObject } from "../kubernetes/kube-object.ts";
import { keepOwnCertificate, readOwnCertificate } from "./own-certificate.ts";

const dayMs = 86_400_000;

/** As much of an API server as the webhook's certificate needs: two objects, and a version of each. */
class TwoObjects {
  readonly kept = new Map<string, KubeObject>();
  readonly writes: string[] = [];
  /** Happens when the Secret has been read. */
  onRead = (): void => {};
  #version = 0;

  constructor() {
    this.#keep(configuration({}));
  }

  get(kind: KubeKind): Promise<KubeObject | undefined> {
    const found = this.kept.get(kind.kind);
    if (kind.kind === "Secret") this.onRead();
    return Promise.resolve(found);
  }

  async create(kind: KubeKind, object: KubeObject): Promise<KubeObject> {
    if (this.kept.has(kind.kind)) throw conflict();
    return this.#keep(object);
  }

  async replace(kind: KubeKind, object: KubeObject): Promise<KubeObject> {
    if (object.metadata.resourceVersion !== this.kept.get(kind.kind)?.metadata.resourceVersion) throw conflict();
    return this.#keep(object);
  }

  async apply(_kind: KubeKind, object: KubeObject): Promise<KubeObject> {
    return this.#keep(object);
  }

  get api(): KubeApi {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the rest of it is never called here.
    return this as unknown as KubeApi;
  }

  text(field: string): string {
    const data: Readonly<Record<string, string>> = { ...(this.kept.get("Secret")?.["data"] as object) };
    return Buffer.from(data[field] ?? "", "base64").toString("utf8");
  }

  #keep(object: KubeObject): KubeObject {
    this.#version += 1;
    const kept = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    this.kept.set(object.kind, kept);
    this.writes.push(object.kind);
    return kept;
  }
}

function conflict(): KubeError {
  return new KubeError("KIR4007", "written in between", { exitStatus: 1, status: 409, reason: "Conflict" });
}

function configuration(clientConfig: object): KubeObject {
  const webhooks = [{ name: "check.kirikae.dev", clientConfig }];
  const apiVersion = "admissionregistration.k8s.io/v1";
  return { apiVersion, kind: "ValidatingWebhookConfiguration", metadata: { name: "kirikae" }, webhooks };
}

let cluster = new TwoObjects();
beforeEach(() => {
  cluster = new TwoObjects();
});

function keep(day: number): Promise<void> {
  return keepOwnCertificate({ api: cluster.api, namespace: "kirikae-system", now: () => day * dayMs });
}

function served(): X509Certificate {
  return new X509Certificate(cluster.text("tls.crt"));
}

test("one is made where there is none, and kept as long as it is young", async () => {
  expect(await readOwnCertificate({ api: cluster.api, namespace: "kirikae-system", now: () => 0 })).toBeUndefined();
  await keep(20_000);
  const first = served();
  expect(first.checkHost("kirikae.kirikae-system.svc")).toBe("kirikae.kirikae-system.svc");
  expect(first.verify(new X509Certificate(cluster.text("ca.crt")).publicKey)).toBe(true);
  expect(JSON.stringify(cluster.kept.get("ValidatingWebhookConfiguration"))).toContain(
    Buffer.from(cluster.text("ca.crt")).toString("base64"),
  );
  const writes = cluster.writes.length;
  await keep(20_200);
  expect(served().serialNumber).toBe(first.serialNumber);
  expect(cluster.writes).toHaveLength(writes);
});

test("it is renewed by the same authority before it ends", async () => {
  await keep(20_000);
  const [first, authority] = [served(), cluster.text("ca.crt")];
  await keep(20_000 + 250);
  expect(served().serialNumber).not.toBe(first.serialNumber);
  expect(cluster.text("ca.crt")).toBe(authority);
  expect(served().validToDate.getTime()).toBeGreaterThan(first.validToDate.getTime());
});

test("a new authority is trusted before it signs, and the one before it stays trusted", async () => {
  await keep(20_000);
  const before = cluster.text("ca.crt");
  cluster.writes.length = 0;
  await keep(20_000 + 2_500);
  expect(cluster.writes).toEqual(["ValidatingWebhookConfiguration", "Secret"]);
  expect(cluster.text("ca.crt")).toContain(before);
  expect(cluster.text("ca.crt").startsWith(before)).toBe(false);
  expect(served().verify(new X509Certificate(cluster.text("ca.crt")).publicKey)).toBe(true);
});

test("dates beyond 2049 are written in four digits", async () => {
  // The year 2048: the authority lasts into 2058.
  await keep(28_500);
  expect(new X509Certificate(cluster.text("ca.crt")).validToDate.getUTCFullYear()).toBe(2058);
});

test("who was overtaken by another replica leaves what it wrote", async () => {
  await keep(20_000);
  const theirs = cluster.kept.get("Secret");
  cluster.kept.delete("Secret");
  cluster.onRead = () => {
    if (theirs !== undefined) cluster.kept.set("Secret", theirs);
  };
  await keep(20_000);
  expect(cluster.kept.get("Secret")).toBe(theirs);
});

test("nothing is written where the API server has not been told to ask", async () => {
  cluster.kept.delete("ValidatingWebhookConfiguration");
  await keep(20_000);
  expect(cluster.kept.has("ValidatingWebhookConfiguration")).toBe(false);
  expect(cluster.text("tls.key")).toContain("PRIVATE KEY");
});

test("a Secret that somebody has spoilt is named, and nothing of it is quoted", async () => {
  await keep(20_000);
  const secret = cluster.kept.get("Secret");
  const data = { ...(secret?.["data"] as object), "tls.key": Buffer.from("hush").toString("base64") };
  if (secret !== undefined) cluster.kept.set("Secret", { ...secret, data });
  const read = readOwnCertificate({ api: cluster.api, namespace: "kirikae-system", now: () => 0 });
  await expect(read).rejects.toMatchObject({ code: "KIR4091", message: expect.not.stringContaining("hush") });
});
