import { coversHost, isWildcard } from "../manifest/host-pattern.ts";
import type { SidecarManifest } from "../manifest/manifest.ts";
import { defaultMeshConfig, type MeshConfig } from "../manifest/mesh-config.ts";
import type { SidecarEgress } from "../manifest/sidecar.ts";
import type { HostName, Mesh } from "./mesh.ts";

type Labels = Readonly<Record<string, string>>;

/** Keyed by the list itself, because lookups ask for every host of thousands. */
const configs = new WeakMap<Mesh["manifests"], MeshConfig>();

/** The settings of the mesh, with Istio's defaults where the manifests hold none. */
export function meshConfigOf({ manifests }: Pick<Mesh, "manifests">): MeshConfig {
  let config = configs.get(manifests);
  if (config === undefined) {
    config = manifests.find((manifest) => manifest.kind === "MeshConfig")?.spec ?? defaultMeshConfig;
    configs.set(manifests, config);
  }
  return config;
}

/**
 * The Sidecar that counts for a workload: the oldest of its namespace that selects it, else the oldest there that selects
 * all, else that of the root namespace. Source: Istio `pilot/pkg/model/push_context.go`, getSidecarScope.
 */
export function findSidecar(
  mesh: Pick<Mesh, "manifests">,
  workload: { readonly namespace: string; readonly labels: Labels },
): SidecarManifest | undefined {
  const sidecars = mesh.manifests.filter((manifest) => manifest.kind === "Sidecar");
  if (sidecars.length === 0) return undefined;
  const own = sidecars.filter(({ metadata }) => metadata.namespace === workload.namespace);
  const { rootNamespace } = meshConfigOf(mesh);
  return (
    own.find(({ spec }) => spec.workloadSelector !== undefined && hasLabels(workload.labels, spec.workloadSelector)) ??
    own.find(({ spec }) => spec.workloadSelector === undefined) ??
    sidecars.find(({ metadata, spec }) => metadata.namespace === rootNamespace && spec.workloadSelector === undefined)
  );
}

function hasLabels(labels: Labels, wanted: Labels): boolean {
  return Object.entries(wanted).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value);
}

/** Which hosts a proxy is told about on one port. */
export interface EgressScope {
  /** Whether a service of a namespace is known. */
  knowsService(host: HostName, namespace: string): boolean;
  /** Whether the rules for a host of a VirtualService of a namespace are known. */
  knowsRules(hosts: readonly HostName[], namespace: string): boolean;
}

const everything: EgressScope = { knowsService: () => true, knowsRules: () => true };

/**
 * The part of the mesh that a Sidecar lets its workloads know on a port: entries with that port, where there are any,
 * else those without a port. `namespace` is the workload's, which `.` stands for.
 * Source: Istio `pilot/pkg/model/sidecar.go`, convertIstioListenerToWrapper, selectServices and selectVirtualServices.
 */
export function egressScope(sidecar: SidecarManifest | undefined, namespace: string, port: number): EgressScope {
  const egress = sidecar?.spec.egress ?? [];
  if (egress.length === 0) return everything;
  const imports = importsOf(entriesFor(egress, port), namespace);
  return {
    knowsService: (host, owner) =>
      isAdmitted(imports, owner, (pattern) => coversHost(pattern, host) || pattern === host),
    knowsRules: (hosts, owner) =>
      hosts.some((host) => isAdmitted(imports, owner, (pattern) => overlaps(pattern, host))),
  };
}

function entriesFor(egress: readonly SidecarEgress[], port: number): readonly SidecarEgress[] {
  const named = egress.filter((entry) => entry.port?.number === port);
  return named.length > 0 ? named : egress.filter((entry) => entry.port === undefined);
}

interface Import {
  /** `*` is every namespace. */
  readonly namespace: string;
  readonly host: string;
  readonly isExcluded: boolean;
}

/** `~ns/host` takes away what other entries give; `~/*` gives nothing. */
function importsOf(egress: readonly SidecarEgress[], namespace: string): readonly Import[] {
  return egress.flatMap(({ hosts }) =>
    hosts.map((entry): Import => {
      const slash = entry.indexOf("/");
      const written = slash === -1 ? "*" : entry.slice(0, slash);
      const isExcluded = written.startsWith("~") && written.length > 1;
      const scope = isExcluded ? written.slice(1) : written;
      return {
        namespace: scope === "." ? namespace : scope,
        host: entry.slice(slash + 1).toLowerCase(),
        isExcluded,
      };
    }),
  );
}

function isAdmitted(imports: readonly Import[], owner: string, matches: (pattern: string) => boolean): boolean {
  const meant = imports.filter(
    (entry) => (entry.namespace === "*" || entry.namespace === owner) && matches(entry.host),
  );
  return meant.length > 0 && !meant.some(({ isExcluded }) => isExcluded);
}

function overlaps(pattern: string, host: string): boolean {
  return coversHost(pattern, host) || (isWildcard(host) && coversHost(host, pattern));
}
