import type { Decoder } from "./decode/decoder.ts";
import { transform } from "./decode/collections.ts";
import { object } from "./decode/object.ts";
import { decodeDestinationRule } from "./kinds/destination-rule.ts";
import { decodeGateway } from "./kinds/gateway.ts";
import { decodeLocalWorkload } from "./kinds/local-workload.ts";
import { decodeServiceEntry, decodeWorkloadEntry } from "./kinds/service-entry.ts";
import { decodeService, decodeWorkload } from "./kinds/service.ts";
import { decodeVirtualService } from "./kinds/virtual-service.ts";
import type { Manifest, ObjectMeta } from "./manifest.ts";

/** How a kind is read: from its `spec`, or from the whole document where a kind has none. */
export interface KindReader {
  readonly kind: Manifest["kind"];
  readonly versions: readonly string[];
  readonly group: string;
  readonly decode: (metadata: ObjectMeta) => Decoder<Manifest["spec"]>;
  /** What an absent `spec` means. */
  readonly spec: "required" | "optional";
  /** Whether fields beside apiVersion, kind, metadata, spec and status are a mistake. */
  readonly isStrict: boolean;
}

const istioVersions = ["v1", "v1beta1", "v1alpha3"];

function istio(kind: Manifest["kind"], decoder: Decoder<Manifest["spec"]>): KindReader {
  const group = "networking.istio.io";
  return { kind, versions: istioVersions, group, decode: () => decoder, spec: "required", isStrict: true };
}

function apps(kind: Manifest["kind"]): KindReader {
  return { kind, versions: ["v1"], group: "apps", decode: () => decodeWorkload, spec: "required", isStrict: false };
}

const anySpec = object({ fields: {}, others: "ignore" });

const decodeNothing: Decoder<Readonly<Record<string, never>>> = transform(anySpec, () => ({}));

function decodePod(metadata: ObjectMeta): Decoder<Manifest["spec"]> {
  return transform(anySpec, () => ({ podLabels: metadata.labels, replicas: 1 }));
}

const readers: readonly KindReader[] = [
  istio("Gateway", decodeGateway),
  istio("VirtualService", decodeVirtualService),
  istio("DestinationRule", decodeDestinationRule),
  istio("ServiceEntry", decodeServiceEntry),
  istio("WorkloadEntry", decodeWorkloadEntry),
  { kind: "Service", versions: ["v1"], group: "", decode: () => decodeService, spec: "required", isStrict: false },
  { kind: "Pod", versions: ["v1"], group: "", decode: decodePod, spec: "optional", isStrict: false },
  { kind: "Namespace", versions: ["v1"], group: "", decode: () => decodeNothing, spec: "optional", isStrict: false },
  apps("Deployment"),
  apps("StatefulSet"),
  apps("DaemonSet"),
  apps("ReplicaSet"),
  {
    kind: "LocalWorkload",
    versions: ["v1alpha1"],
    group: "kirikae.dev",
    decode: (metadata) => decodeLocalWorkload(metadata.labels),
    spec: "required",
    isStrict: true,
  },
];

const readersByName: ReadonlyMap<string, KindReader> = new Map(
  readers.map((reader) => [`${reader.group}/${reader.kind}`, reader]),
);

/** Kinds of Istio's that change what traffic does and that are not read yet. */
const routingKinds: ReadonlySet<string> = new Set(["Sidecar", "EnvoyFilter", "WorkloadGroup", "ProxyConfig"]);

export type KindLookup =
  | { readonly found: "reader"; readonly reader: KindReader }
  | { readonly found: "unknownVersion"; readonly reader: KindReader; readonly version: string }
  | { readonly found: "unservedKind" }
  | { readonly found: "unknownKind"; readonly known: readonly string[] }
  | { readonly found: "other" };

/** Finds how an object is to be read. `other` is a kind that has nothing to do with routing. */
export function lookUpKind(apiVersion: string, kind: string): KindLookup {
  const slash = apiVersion.lastIndexOf("/");
  const group = slash === -1 ? "" : apiVersion.slice(0, slash);
  const version = apiVersion.slice(slash + 1);
  const reader = readersByName.get(`${group}/${kind}`);
  if (reader !== undefined) {
    return reader.versions.includes(version)
      ? { found: "reader", reader }
      : { found: "unknownVersion", reader, version };
  }
  if (group === "networking.istio.io" && routingKinds.has(kind)) {
    return { found: "unservedKind" };
  }
  if (group === "networking.istio.io" || group === "kirikae.dev") {
    const known = readers.filter((candidate) => candidate.group === group).map((candidate) => candidate.kind);
    return { found: "unknownKind", known };
  }
  return { found: "other" };
}
