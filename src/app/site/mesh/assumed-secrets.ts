import type { Diagnostic } from "../../../core/diagnostics/diagnostic.ts";
import type { SourceText } from "../../../core/manifest/manifest.ts";
import { kubeKinds } from "../../../kubernetes/kube-kinds.ts";
import type { KubeObject } from "../../../kubernetes/kube-object.ts";
import type { SiteObjects } from "../objects/site-objects.ts";

/** What a Gateway says, as far as it is read here; the API server has checked its form. */
interface GatewaySpec {
  readonly selector?: Readonly<Record<string, string>>;
  readonly servers?: readonly {
    readonly tls?: { readonly credentialName?: string; readonly credentialNames?: readonly string[] };
  }[];
}

/** The same of an Ingress. */
interface IngressSpec {
  readonly tls?: readonly { readonly secretName?: string }[];
}

/** Stands where a certificate would: nobody reads it, because findings about it are left out. */
const assumed = "not read";

/**
 * The Secrets that Gateways and Ingresses name, as if they were there: kirikae asks for no right to read keys, and istiod serves the
 * routes of a server whose certificate it has. Where one is missing, the proxies show no such routes, and nothing is proved.
 */
export function assumeSecrets(site: Pick<SiteObjects, "objects">, istioNamespace: string): readonly SourceText[] {
  const names = new Set<string>();
  for (const gateway of site.objects(kubeKinds.gateway)) {
    for (const credential of credentialsOf(gateway)) {
      for (const namespace of namespacesOf(gateway, site, istioNamespace)) names.add(`${namespace}/${credential}`);
    }
  }
  for (const secret of ingressSecrets(site)) {
    for (const namespace of ingressNamespaces(site, istioNamespace)) names.add(`${namespace}/${secret}`);
  }
  return [...names].map((name) => {
    const [namespace, secret] = name.split("/");
    const data = { "tls.crt": assumed, "tls.key": assumed, "ca.crt": assumed };
    const object = { apiVersion: "v1", kind: "Secret", metadata: { name: secret, namespace }, stringData: data };
    return { path: `Secret ${name}`, text: JSON.stringify(object), isObject: true };
  });
}

/** KIR1112, KIR1202 and KIR1203 are about Secrets that are missing or cannot be used; others say so by their object. */
export function isAboutSecret({ code, at }: Pick<Diagnostic, "code" | "at">): boolean {
  return code === "KIR1112" || code === "KIR1202" || code === "KIR1203" || at?.file.startsWith("Secret ") === true;
}

function credentialsOf({ spec }: KubeObject): readonly string[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Istio's schema has been checked by the API server.
  const { servers = [] } = (spec ?? {}) as GatewaySpec;
  return servers.flatMap(({ tls }) => [
    ...(tls?.credentialName === undefined ? [] : [tls.credentialName]),
    ...(tls?.credentialNames ?? []),
  ]);
}

function ingressSecrets(site: Pick<SiteObjects, "objects">): ReadonlySet<string> {
  const entries = site.objects(kubeKinds.ingress).flatMap(({ spec }) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API server has checked its form.
    return ((spec ?? {}) as IngressSpec).tls ?? [];
  });
  return new Set(entries.flatMap(({ secretName }) => secretName ?? []));
}

/** Pods that serve Ingresses have the label `istio`, with a value that the mesh names. */
function ingressNamespaces(site: Pick<SiteObjects, "objects">, istioNamespace: string): ReadonlySet<string> {
  const pods = site.objects(kubeKinds.pod).filter(({ metadata }) => metadata.labels?.["istio"] !== undefined);
  return new Set([istioNamespace, ...pods.map(({ metadata }) => metadata.namespace ?? "default")]);
}

/** istiod looks where the pods of the gateway are; who may not see pods assumes the usual place too. */
function namespacesOf(
  gateway: KubeObject,
  site: Pick<SiteObjects, "objects">,
  istioNamespace: string,
): ReadonlySet<string> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above.
  const selector = Object.entries(((gateway.spec ?? {}) as GatewaySpec).selector ?? {});
  const pods = site
    .objects(kubeKinds.pod)
    .filter(({ metadata }) => selector.every(([label, value]) => metadata.labels?.[label] === value));
  const own = gateway.metadata.namespace ?? "default";
  return new Set([istioNamespace, own, ...pods.map(({ metadata }) => metadata.namespace ?? "default")]);
}
