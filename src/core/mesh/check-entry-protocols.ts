import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { listNames } from "../manifest/decode/nearest-name.ts";
import { resourceName, type ServiceEntryManifest } from "../manifest/manifest.ts";
import type { ServiceEntryPort } from "../manifest/service-entry.ts";
import { resolveHost } from "./host-name.ts";
import type { HostName, Mesh } from "./mesh.ts";
import { resolveExports } from "./service-directory.ts";

interface Claim {
  readonly entry: ServiceEntryManifest;
  readonly host: HostName;
  readonly port: ServiceEntryPort;
  readonly exports: readonly string[];
}

/**
 * ServiceEntries that give one host and port different protocols for the same callers (IST0177); each of them is told.
 * Source: Istio `pkg/config/analysis/analyzers/serviceentry/conflictingserviceentries.go`.
 */
export function checkEntryProtocols(mesh: Pick<Mesh, "manifests">): readonly Diagnostic[] {
  const claims = new Map<string, Claim[]>();
  for (const entry of mesh.manifests.filter((manifest) => manifest.kind === "ServiceEntry")) {
    for (const claim of claimsOf(entry)) {
      const key = `${claim.host} ${claim.port.number}`;
      const known = claims.get(key);
      if (known === undefined) {
        claims.set(key, [claim]);
      } else {
        known.push(claim);
      }
    }
  }
  const reported = new Map<ServiceEntryManifest, Diagnostic>();
  for (const group of claims.values()) {
    for (const { claim, protocols } of findConflicts(group)) {
      reported.set(claim.entry, reported.get(claim.entry) ?? reportConflict(claim, protocols, group));
    }
  }
  return [...reported.values()];
}

function claimsOf(entry: ServiceEntryManifest): readonly Claim[] {
  const { namespace } = entry.metadata;
  const exports = resolveExports(entry.spec.exportTo, namespace);
  const hosts = new Set(entry.spec.hosts.map((name) => resolveHost(name, namespace)));
  return [...hosts].flatMap((host) => entry.spec.ports.map((port) => ({ entry, host, port, exports })));
}

interface Conflict {
  readonly claim: Claim;
  readonly protocols: readonly string[];
}

/** Callers of a namespace see what is exported to it and what is exported to all. */
function findConflicts(group: readonly Claim[]): readonly Conflict[] {
  if (new Set(group.map(protocolOf)).size < 2) {
    return [];
  }
  const forAll = group.filter(({ exports }) => exports.includes("*"));
  const scopes = new Map<string, Claim[]>([["*", forAll]]);
  for (const claim of group.filter((other) => !forAll.includes(other))) {
    for (const scope of claim.exports) {
      scopes.set(scope, [...(scopes.get(scope) ?? forAll), claim]);
    }
  }
  return [...scopes.values()].flatMap((seen) => {
    const protocols = [...new Set(seen.map(protocolOf))].toSorted();
    return protocols.length < 2 ? [] : seen.map((claim) => ({ claim, protocols }));
  });
}

function protocolOf({ port }: Claim): string {
  return port.protocol.toUpperCase();
}

function reportConflict(claim: Claim, protocols: readonly string[], group: readonly Claim[]): Diagnostic {
  const others = group.filter(({ entry }) => entry !== claim.entry).map(({ entry }) => resourceName(entry));
  return diagnostic("KIR1034", {
    message: `Port ${claim.port.number} of "${claim.host}" speaks ${protocolOf(claim)} here and ${listNames(protocols.filter((name) => name !== protocolOf(claim)))} elsewhere (${listNames(others, 5)}); the oldest declaration counts.`,
    hint: "Give the port one protocol, or declare it in one ServiceEntry.",
    resource: resourceName(claim.entry),
    at: claim.port.at,
  });
}
