import type { Decoder, Place } from "./decode/decoder.ts";
import { transform } from "./decode/collections.ts";
import { object } from "./decode/object.ts";
import { decodeDestinationRule } from "./kinds/destination-rule.ts";
import { decodeEndpoints, decodeEndpointSlice } from "./kinds/endpoint-slice.ts";
import { decodeGatewayApiRoute } from "./kinds/gateway-api-route.ts";
import { decodeGateway } from "./kinds/gateway.ts";
import { decodeIngress, decodeIngressClass } from "./kinds/ingress.ts";
import { decodeKubernetesGateway } from "./kinds/kubernetes-gateway.ts";
import { decodeLocalWorkload } from "./kinds/local-workload.ts";
import { decodeIstioConfigMap, decodeIstioOperator, decodeMeshConfig } from "./kinds/mesh-config.ts";
import { decodeRelease } from "./kinds/release.ts";
import { decodeCaConfigMap, decodeSecret } from "./kinds/secret.ts";
import { decodeSecurityPolicy } from "./kinds/security-policy.ts";
import { decodeServiceEntry } from "./kinds/service-entry.ts";
import { decodeService } from "./kinds/service.ts";
import { decodeSidecar } from "./kinds/sidecar.ts";
import { decodeVirtualService } from "./kinds/virtual-service.ts";
import { decodeWorkloadEntry, decodeWorkloadGroup } from "./kinds/workload-entry.ts";
import { decodeCronJob, decodeJob, decodePod, decodeWorkload } from "./kinds/workload.ts";
import type { Manifest, ObjectMeta } from "./manifest.ts";
import type { YamlMap, YamlValue } from "./yaml/yaml-value.ts";

/** How a kind is read: from its `spec`, or from the whole document where a kind has none. */
export interface KindReader {
  readonly kind: Manifest["kind"];
  readonly versions: readonly string[];
  readonly group: string;
  readonly decode: (metadata: ObjectMeta, document?: Place) => Decoder<Manifest["spec"]>;
  /** What is given to the decoder, and whether an absent `spec` is a mistake. */
  readonly from: "spec" | "optionalSpec" | "document";
  /** Whether fields beside apiVersion, kind, metadata, spec and status are a mistake. */
  readonly isStrict: boolean;
  /** False for kinds that belong to no namespace. */
  readonly isNamespaced: boolean;
}

type Reading = Pick<KindReader, "kind" | "decode"> & Partial<KindReader>;

function reader(group: string, versions: readonly string[], reading: Reading): KindReader {
  return { group, versions, from: "spec", isStrict: false, isNamespaced: true, ...reading };
}

const istioVersions = ["v1", "v1beta1", "v1alpha3"];

function istio(reading: Reading): KindReader {
  return reader("networking.istio.io", istioVersions, { ...reading, isStrict: true });
}

function apps(kind: Manifest["kind"]): KindReader {
  return reader("apps", ["v1"], { kind, decode: () => decodeWorkload });
}

function policy(kind: Manifest["kind"]): KindReader {
  return reader("security.istio.io", ["v1", "v1beta1"], {
    kind,
    decode: () => decodeSecurityPolicy,
    from: "optionalSpec",
  });
}

function core(reading: Reading): KindReader {
  return reader("", ["v1"], reading);
}

const decodeNothing: Decoder<Readonly<Record<string, never>>> = transform(
  object({ fields: {}, others: "ignore" }),
  () => ({}),
);

/** Every kind that is read by its name. */
export const kindReaders: readonly KindReader[] = [
  istio({ kind: "Gateway", decode: decodeGateway }),
  istio({ kind: "VirtualService", decode: () => decodeVirtualService }),
  istio({ kind: "DestinationRule", decode: () => decodeDestinationRule }),
  istio({ kind: "ServiceEntry", decode: decodeServiceEntry }),
  istio({ kind: "WorkloadEntry", decode: () => decodeWorkloadEntry }),
  istio({ kind: "WorkloadGroup", decode: () => decodeWorkloadGroup }),
  istio({ kind: "Sidecar", decode: () => decodeSidecar }),
  policy("AuthorizationPolicy"),
  policy("RequestAuthentication"),
  policy("PeerAuthentication"),
  core({ kind: "Service", decode: () => decodeService, isStrict: true }),
  core({ kind: "Pod", decode: decodePod, from: "document" }),
  core({ kind: "Namespace", decode: () => decodeNothing, from: "document", isNamespaced: false }),
  core({ kind: "Secret", decode: () => decodeSecret, from: "document" }),
  core({ kind: "Endpoints", decode: decodeEndpoints, from: "document" }),
  core({ kind: "ReplicationController", decode: () => decodeWorkload }),
  apps("Deployment"),
  apps("StatefulSet"),
  apps("DaemonSet"),
  apps("ReplicaSet"),
  reader("batch", ["v1"], { kind: "Job", decode: () => decodeJob }),
  reader("batch", ["v1"], { kind: "CronJob", decode: () => decodeCronJob }),
  reader("discovery.k8s.io", ["v1"], { kind: "EndpointSlice", decode: decodeEndpointSlice, from: "document" }),
  reader("networking.k8s.io", ["v1"], { kind: "Ingress", decode: decodeIngress, isStrict: true }),
  reader("networking.k8s.io", ["v1"], {
    kind: "IngressClass",
    decode: decodeIngressClass,
    from: "optionalSpec",
    isNamespaced: false,
  }),
  reader("mesh.istio.io", ["v1alpha1"], { kind: "MeshConfig", decode: () => decodeMeshConfig, from: "document" }),
  reader("kirikae.dev", ["v1alpha1"], {
    kind: "LocalWorkload",
    decode: (metadata) => decodeLocalWorkload(metadata.labels),
    isStrict: true,
  }),
  reader("kirikae.dev", ["v1alpha1"], { kind: "Release", decode: decodeRelease, isStrict: true }),
];

const readersByName: ReadonlyMap<string, KindReader> = new Map(
  kindReaders.map((known) => [`${known.group}/${known.kind}`, known]),
);

const istioConfigMap = core({ kind: "MeshConfig", decode: () => decodeIstioConfigMap, from: "document" });
const caConfigMap = core({ kind: "ConfigMap", decode: () => decodeCaConfigMap, from: "document" });
const gatewayApi = "gateway.networking.k8s.io";
const gatewayApiVersions = ["v1", "v1beta1", "v1alpha2"];

/** None of them is carried out; they are read so far that nobody takes what else is known of a host for all. */
const gatewayApiReaders: ReadonlyMap<string, KindReader> = new Map([
  [
    "Gateway",
    reader(gatewayApi, gatewayApiVersions, { kind: "KubernetesGateway", decode: () => decodeKubernetesGateway }),
  ],
  ["HTTPRoute", reader(gatewayApi, gatewayApiVersions, { kind: "HTTPRoute", decode: () => decodeGatewayApiRoute })],
  ["GRPCRoute", reader(gatewayApi, gatewayApiVersions, { kind: "GRPCRoute", decode: () => decodeGatewayApiRoute })],
]);
const istioOperator = reader("install.istio.io", ["v1alpha1"], {
  kind: "MeshConfig",
  decode: () => decodeIstioOperator,
});

/** A Rollout of Argo Rollouts makes pods as a Deployment does, unless it names one that does. */
const rollout = reader("argoproj.io", ["v1alpha1"], { kind: "Rollout", decode: () => decodeWorkload });

/** Kinds that are read only where what they hold matters here; most ConfigMaps are some app's affair. */
function readerByContent(group: string, kind: string, value: YamlMap): KindReader | undefined {
  if (group === "install.istio.io" && kind === "IstioOperator") {
    return childOf(childOf(value, "spec"), "meshConfig") === undefined ? undefined : istioOperator;
  }
  if (group === "argoproj.io" && kind === "Rollout") {
    return childOf(childOf(value, "spec"), "template") === undefined ? undefined : rollout;
  }
  if (group === gatewayApi) return gatewayApiReaders.get(kind);
  return group === "" && kind === "ConfigMap" ? configMapReader(value) : undefined;
}

function configMapReader(value: YamlMap): KindReader | undefined {
  const name = childOf(childOf(value, "metadata"), "name");
  const data = childOf(value, "data");
  if (name?.kind === "string" && /^istio(?:-|$)/.test(name.value) && childOf(data, "mesh") !== undefined) {
    return istioConfigMap;
  }
  return ["ca.crt", "cacert"].some((key) => childOf(data, key) !== undefined) ? caConfigMap : undefined;
}

function childOf(value: YamlValue | undefined, name: string): YamlValue | undefined {
  return value?.kind === "map" ? value.entries.get(name)?.value : undefined;
}

/** Kinds of Istio's that change what proxies do in ways that no local proxy carries out, with the reason. */
export const unservedKinds: ReadonlyMap<string, string> = new Map([
  ["EnvoyFilter", "it patches what istiod writes, and the proxies here are configured by kirikae"],
  ["ProxyConfig", "the proxies here are started by kirikae, with settings of its own"],
]);

export type KindLookup =
  | { readonly found: "reader"; readonly reader: KindReader }
  | { readonly found: "unknownVersion"; readonly reader: KindReader; readonly version: string }
  | { readonly found: "unservedKind"; readonly reason: string }
  | { readonly found: "unknownKind"; readonly known: readonly string[] }
  | { readonly found: "other" };

/** Finds how an object is to be read. `other` is a kind that has nothing to do with routing. */
export function lookUpKind(apiVersion: string, kind: string, value: YamlMap): KindLookup {
  const slash = apiVersion.lastIndexOf("/");
  const group = slash === -1 ? "" : apiVersion.slice(0, slash);
  const version = apiVersion.slice(slash + 1);
  const found = readersByName.get(`${group}/${kind}`) ?? readerByContent(group, kind, value);
  if (found !== undefined) {
    return found.versions.includes(version)
      ? { found: "reader", reader: found }
      : { found: "unknownVersion", reader: found, version };
  }
  const reason = group === "networking.istio.io" ? unservedKinds.get(kind) : undefined;
  if (reason !== undefined) {
    return { found: "unservedKind", reason };
  }
  if (group === "networking.istio.io" || group === "kirikae.dev") {
    const known = kindReaders.filter((candidate) => candidate.group === group).map((candidate) => candidate.kind);
    return { found: "unknownKind", known: group === "kirikae.dev" ? known : [...known, ...unservedKinds.keys()] };
  }
  return { found: "other" };
}
