import { wildcardsAbove } from "../manifest/host-pattern.ts";
import { resourceName, type ServiceEntryManifest, type ServiceManifest } from "../manifest/manifest.ts";
import { exportToOf } from "../manifest/service.ts";
import { resolveHost } from "./host-name.ts";
import type { HostName, Mesh } from "./mesh.ts";

/** One object's word that a host is there, and who may see it. */
export interface ServiceDeclaration {
  readonly host: HostName;
  /** `Service ns/name` or `ServiceEntry ns/name`. */
  readonly resource: string;
  readonly namespace: string;
  /** Namespaces, `*` for all; empty for nobody (`~`). */
  readonly exports: readonly string[];
  readonly ports: readonly number[];
}

/** Every declaration of every host, so that what one caller sees can be told from what is there. */
export class ServiceDirectory {
  readonly #declarations = new Map<HostName, ServiceDeclaration[]>();
  /** Host names in full with the letters that they are written with. */
  readonly #written = new Set<string>();

  constructor(mesh: Pick<Mesh, "manifests">) {
    for (const { kind, metadata, spec } of mesh.manifests) {
      for (const host of kind === "ServiceEntry" ? spec.hosts : []) {
        this.#written.add(spellInFull(host, metadata.namespace));
      }
    }
    const services = mesh.manifests.filter((manifest) => manifest.kind === "Service");
    const entries = mesh.manifests.filter((manifest) => manifest.kind === "ServiceEntry");
    for (const declaration of [...services.map(declareService), ...entries.flatMap(declareEntry)]) {
      const known = this.#declarations.get(declaration.host);
      if (known === undefined) {
        this.#declarations.set(declaration.host, [declaration]);
      } else {
        known.push(declaration);
      }
    }
  }

  /**
   * True for a host with capital letters that nobody declares with the same ones. Istio compares them letter by letter,
   * so that such a host is unknown to it; Services never have capital letters.
   */
  isMisspelt(host: string, namespace: string): boolean {
    return host !== host.toLowerCase() && !this.#written.has(spellInFull(host, namespace));
  }

  /** Declarations of the host itself, or of the most specific wildcard that takes it; Services first. */
  find(host: HostName): readonly ServiceDeclaration[] {
    for (const name of [host, ...wildcardsAbove(host)]) {
      const found = this.#declarations.get(name);
      if (found !== undefined) {
        return found;
      }
    }
    return [];
  }

  /** What callers in a namespace see of a host; a wildcard counts where nothing more specific is visible. */
  findVisible(host: HostName, namespace: string): readonly ServiceDeclaration[] {
    for (const name of [host, ...wildcardsAbove(host)]) {
      const found = (this.#declarations.get(name) ?? []).filter((declaration) => isVisible(declaration, namespace));
      if (found.length > 0) {
        return found;
      }
    }
    return [];
  }

  hosts(): IterableIterator<HostName> {
    return this.#declarations.keys();
  }
}

function spellInFull(host: string, namespace: string): string {
  const lower = host.toLowerCase();
  return host + resolveHost(host, namespace).slice(lower.length);
}

function isVisible({ exports }: ServiceDeclaration, namespace: string): boolean {
  return exports.some((name) => name === "*" || name === namespace);
}

/** Namespaces that `exportTo` names: `.` is the object's own, `~` nobody, and none at all is everybody. */
export function resolveExports(exportTo: readonly string[] | undefined, namespace: string): readonly string[] {
  if (exportTo === undefined || exportTo.length === 0) {
    return ["*"];
  }
  return exportTo.filter((name) => name !== "~").map((name) => (name === "." ? namespace : name));
}

function declareService(manifest: ServiceManifest): ServiceDeclaration {
  const { name, namespace } = manifest.metadata;
  return {
    host: resolveHost(name, namespace),
    resource: resourceName(manifest),
    namespace,
    exports: resolveExports(exportToOf(manifest.metadata), namespace),
    ports: manifest.spec.ports.map(({ number }) => number),
  };
}

function declareEntry(manifest: ServiceEntryManifest): readonly ServiceDeclaration[] {
  const { namespace } = manifest.metadata;
  const { hosts, exportTo, ports } = manifest.spec;
  return hosts.map((host) => ({
    host: resolveHost(host, namespace),
    resource: resourceName(manifest),
    namespace,
    exports: resolveExports(exportTo, namespace),
    ports: ports.map(({ number }) => number),
  }));
}
