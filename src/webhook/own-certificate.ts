import { X509Certificate } from "node:crypto";
import { KubeError } from "../kubernetes/kube-error.ts";
import type { KubeApi } from "../kubernetes/kube-api.ts";
import { kubeKinds } from "../kubernetes/kube-kinds.ts";
import type { KubeObject } from "../kubernetes/kube-object.ts";
import { webhookName, webhookSecretName } from "../kubernetes/needed-access.ts";
import { type IssuedCertificate, issueCertificate } from "./issue-certificate.ts";
import { admissionWebhookName } from "./judged-kinds.ts";
import { checkCertificate, type ServingCertificate } from "./serving-certificate.ts";

export interface OwnCertificateOptions {
  readonly api: KubeApi;
  /** Where kirikae, its Secret and its Service are. */
  readonly namespace: string;
  /** Further names that the API server may call the webhook by. */
  readonly hosts?: readonly string[];
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const dayMs = 86_400_000;
const hourMs = 3_600_000;
const authorityName = "kirikae webhook authority";
const lifetime = { authority: 3650 * dayMs, server: 365 * dayMs };

/** What the Secret holds, in PEM. `authorities` begins with the one that signs now; those before it stay known for a while. */
interface Kept {
  readonly authorities: string;
  readonly authorityKey: string;
  readonly server: ServingCertificate;
}

/** @returns undefined while no replica has made one. Throws KIR4091 for a Secret that somebody has spoilt. */
export async function readOwnCertificate(options: OwnCertificateOptions): Promise<ServingCertificate | undefined> {
  const kept = readKept(await getSecret(options));
  if (kept !== undefined) checkCertificate(kept.server, `Secret ${options.namespace}/${webhookSecretName}`);
  return kept?.server;
}

/**
 * Makes what is missing and renews what is in the last third of its life, then tells the API server whom to trust. One
 * replica does it, the leading one; another that did it at the same time would be refused by the Secret's version.
 * The API server trusts a new authority before anything is signed by it.
 */
export async function keepOwnCertificate(options: OwnCertificateOptions): Promise<void> {
  const secret = await getSecret(options);
  const kept = readKept(secret);
  const next = renew(kept, options);
  await trust(options, next.authorities);
  if (next !== kept) await writeSecret(options, next, secret);
}

function renew(kept: Kept | undefined, { namespace, hosts = [], now }: OwnCertificateOptions): Kept {
  const nowMs = now();
  const names = [`${webhookName}.${namespace}.svc`, `${webhookName}.${namespace}.svc.cluster.local`, ...hosts];
  const sign = (authority: IssuedCertificate): ServingCertificate =>
    issueCertificate({
      name: `${webhookName}.${namespace}.svc`,
      hosts: names,
      issuer: { ...authority, name: authorityName },
      validity: [new Date(nowMs - hourMs), new Date(nowMs + lifetime.server)],
    });
  const current = kept === undefined ? undefined : firstOf(kept.authorities);
  if (kept === undefined || current === undefined || isOld(current, nowMs)) {
    const validity = [new Date(nowMs - hourMs), new Date(nowMs + lifetime.authority)] as const;
    const authority = issueCertificate({ name: authorityName, validity });
    const authorities = authority.certificate + (current ?? "");
    return { authorities, authorityKey: authority.key, server: sign(authority) };
  }
  if (!isOld(kept.server.certificate, nowMs) && isGoodFor(kept.server.certificate, names)) return kept;
  return { ...kept, server: sign({ certificate: current, key: kept.authorityKey }) };
}

function firstOf(bundle: string): string | undefined {
  return /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----\n?/u.exec(bundle)?.[0];
}

/** In the last third of its life, over, or no certificate at all. */
function isOld(pem: string, nowMs: number): boolean {
  const certificate = parseCertificate(pem);
  if (certificate === undefined) return true;
  const [from, until] = [certificate.validFromDate.getTime(), certificate.validToDate.getTime()];
  return nowMs >= until - (until - from) / 3;
}

function isGoodFor(pem: string, names: readonly string[]): boolean {
  const said = parseCertificate(pem)?.subjectAltName?.split(", ") ?? [];
  return names.every((name) => said.includes(`DNS:${name}`) || said.includes(`IP Address:${name}`));
}

function parseCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    // OpenSSL's errors have no class of their own; all of them mean that this is no certificate.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

/** Where the API server has not been told to ask, there is nothing to tell it; whoever tells it later is followed then. */
async function trust({ api }: OwnCertificateOptions, authorities: string): Promise<void> {
  const caBundle = Buffer.from(authorities).toString("base64");
  const known = await api.get(kubeKinds.webhook, { name: webhookName });
  if (known === undefined || readBundle(known) === caBundle) return;
  await api.apply(
    kubeKinds.webhook,
    {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingWebhookConfiguration",
      metadata: { name: webhookName },
      webhooks: [{ name: admissionWebhookName, clientConfig: { caBundle } }],
    },
    // Nobody else knows the authority, so whoever has written another is mistaken.
    { fieldManager: "kirikae-webhook", force: true },
  );
}

function readBundle(configuration: KubeObject): string | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API server has checked its form.
  const { webhooks = [] } = configuration as KubeObject & { readonly webhooks?: readonly Webhook[] };
  return webhooks.find(({ name }) => name === admissionWebhookName)?.clientConfig.caBundle;
}

interface Webhook {
  readonly name: string;
  readonly clientConfig: { readonly caBundle?: string };
}

function getSecret({ api, namespace }: OwnCertificateOptions): Promise<KubeObject | undefined> {
  return api.get(kubeKinds.secret, { namespace, name: webhookSecretName });
}

function readKept(secret: KubeObject | undefined): Kept | undefined {
  const data = secret?.["data"];
  if (typeof data !== "object" || data === null) return undefined;
  const fields: Readonly<Record<string, unknown>> = { ...data };
  const [authorities, authorityKey, certificate, key] = ["ca.crt", "ca.key", "tls.crt", "tls.key"].map((name) => {
    const value = fields[name];
    return typeof value === "string" ? Buffer.from(value, "base64").toString("utf8") : undefined;
  });
  if (authorities === undefined || authorityKey === undefined || certificate === undefined || key === undefined) {
    return undefined;
  }
  return { authorities, authorityKey, server: { certificate, key } };
}

/** Guarded by the version of what was read; a replica that was overtaken finds the other's at its next look. */
async function writeSecret(
  { api, namespace }: OwnCertificateOptions,
  kept: Kept,
  before: KubeObject | undefined,
): Promise<void> {
  const texts = {
    "ca.crt": kept.authorities,
    "ca.key": kept.authorityKey,
    "tls.crt": kept.server.certificate,
    "tls.key": kept.server.key,
  };
  const data = Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, Buffer.from(text).toString("base64")]),
  );
  const labels = { "app.kubernetes.io/name": "kirikae" };
  const object: KubeObject = {
    apiVersion: "v1",
    kind: "Secret",
    type: "kubernetes.io/tls",
    metadata: { ...(before?.metadata ?? { labels }), name: webhookSecretName, namespace },
    data,
  };
  try {
    await (before === undefined ? api.create(kubeKinds.secret, object) : api.replace(kubeKinds.secret, object));
  } catch (error) {
    if (error instanceof KubeError && error.status === 409) return;
    throw error;
  }
}
