import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { listNames } from "../manifest/decode/nearest-name.ts";
import { resourceName, type VirtualServiceManifest } from "../manifest/manifest.ts";
import { HostIndex } from "./host-index.ts";
import { resolveHost } from "./host-name.ts";
import type { HostName, Mesh } from "./mesh.ts";
import { resolveExports } from "./service-directory.ts";

/** The VirtualServices for one host that callers in one namespace (`*`: in all of them) see. */
interface Owners {
  readonly scope: string;
  readonly host: HostName;
  readonly services: VirtualServiceManifest[];
}

/**
 * VirtualServices of which callers inside the mesh get only one, because there Istio does not merge them (IST0109);
 * each of them is told. Source: Istio `analyzers/virtualservice/conflictingmeshgatewayhosts.go`.
 */
export function checkMeshHosts(mesh: Pick<Mesh, "virtualServices">): readonly Diagnostic[] {
  const owners = collectOwners(mesh.virtualServices);
  const forAll = new HostIndex(
    [...owners.values()].filter(({ scope }) => scope === "*"),
    ({ host }) => host,
  );
  const reported = new Map<VirtualServiceManifest, Diagnostic>();
  for (const entry of owners.values()) {
    const rivals = new Set([...entry.services, ...publicRivals(entry, forAll)]);
    if (rivals.size > 1) {
      const names = [...rivals].slice(0, comparedAtMost).map((service) => resourceName(service));
      for (const service of rivals) {
        reported.set(service, reported.get(service) ?? reportRivals(service, entry.host, names));
      }
    }
  }
  return mesh.virtualServices.flatMap((service) => reported.get(service) ?? []);
}

/** How many VirtualServices of one host a message takes into account. */
const comparedAtMost = 20;

function collectOwners(services: readonly VirtualServiceManifest[]): ReadonlyMap<string, Owners> {
  const owners = new Map<string, Owners>();
  for (const service of services.filter(isForMesh)) {
    const { namespace } = service.metadata;
    const exports = resolveExports(service.spec.exportTo, namespace);
    const hosts = new Set(service.spec.hosts.map((host) => resolveHost(host, namespace)));
    for (const scope of exports.includes("*") ? ["*"] : new Set(exports)) {
      for (const host of hosts) {
        const key = `${scope} ${host}`;
        const known = owners.get(key) ?? { scope, host, services: [] };
        known.services.push(service);
        owners.set(key, known);
      }
    }
  }
  return owners;
}

/** True for a VirtualService whose rules are for callers inside the mesh, whatever other gateways it names. */
export function isForMesh({ spec }: VirtualServiceManifest): boolean {
  return spec.hosts.length > 0 && (spec.gateways.length === 0 || spec.gateways.includes("mesh"));
}

/** What everybody sees is seen by callers of one namespace too, beside what is exported to them. */
function publicRivals({ scope, host }: Owners, forAll: HostIndex<Owners>): readonly VirtualServiceManifest[] {
  return scope === "*" ? [] : forAll.findOverlapping(host, comparedAtMost).flatMap(({ services }) => services);
}

function reportRivals(service: VirtualServiceManifest, host: string, names: readonly string[]): Diagnostic {
  const others = names.filter((name) => name !== resourceName(service));
  return diagnostic("KIR1032", {
    message: `The mesh host "${host}" belongs to ${listNames(others, 5)} too, and callers get the rules of one of them only.`,
    hint: "Put the rules for one host into one VirtualService; only at a gateway are several merged.",
    resource: resourceName(service),
    at: service.spec.hostsAt ?? service.at,
  });
}
