import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { renderPosition } from "../diagnostics/position.ts";
import type { IngressPath } from "../manifest/ingress.ts";
import { type IngressManifest, resourceName } from "../manifest/manifest.ts";
import type { UriMatch } from "../manifest/virtual-service.ts";
import { findBackendPort, indexServices, type ServicesByName } from "./ingress-backend.ts";
import { servedIngresses } from "./ingress-manifests.ts";
import { buildPathRule } from "./ingress-path.ts";
import { collectHosts, type HostPath, type HostPaths } from "./ingress-rules.ts";
import type { Mesh } from "./mesh.ts";

/** Paths that proxies would refuse, that mean less than they seem to, or that another one of their host hides. */
export function checkIngressPaths(mesh: Pick<Mesh, "manifests">): readonly Diagnostic[] {
  const ingresses = servedIngresses(mesh.manifests);
  if (ingresses.length === 0) return [];
  const services = indexServices(mesh.manifests);
  return [
    ...ingresses.flatMap((ingress) =>
      ingress.spec.rules.flatMap(({ paths }) => (paths ?? []).flatMap((path) => checkPath(ingress, path) ?? [])),
    ),
    ...collectHosts(ingresses).flatMap((host) => checkRepeats(host, services)),
  ];
}

function checkPath(ingress: IngressManifest, path: IngressPath): Diagnostic | undefined {
  const rule = buildPathRule(path);
  const resource = resourceName(ingress);
  const { at } = path;
  if (rule === undefined) {
    const message = `Envoy takes no prefix like "${path.path}", so the path is left out.`;
    const hint = "Write a path without a query, a fragment or several slashes at the end.";
    return diagnostic("KIR1311", { message, hint, resource, at });
  }
  if (path.pathType !== "ImplementationSpecific" || rule.uri?.kind !== "exact") return undefined;
  if (path.path === "/") {
    const message = 'With pathType ImplementationSpecific the path "/" takes / alone, and nothing below it.';
    return diagnostic("KIR1312", { message, hint: "Write pathType: Prefix, which takes every path.", resource, at });
  }
  if (!/[()[\]{}|^$+?*\\]/.test(path.path)) return undefined;
  const message = `The path "${path.path}" is no pattern to Istio: it takes requests for exactly these characters.`;
  const hint = "Write pathType: Prefix with a plain path, or a VirtualService with uri.regex.";
  return diagnostic("KIR1312", { message, hint, resource, at });
}

/** The first of several that take the same requests has them all. */
function checkRepeats({ host, paths }: HostPaths, services: ServicesByName): readonly Diagnostic[] {
  const first = new Map<string, HostPath>();
  return paths.flatMap((path) => {
    if (!isKept(path, services)) return [];
    const key = identify(path.uri);
    const known = first.get(key);
    if (known === undefined) {
      first.set(key, path);
      return [];
    }
    const where = `${resourceName(known.ingress)} (${renderPosition(known.path.at)})`;
    const on = host === "*" ? "" : ` on ${host}`;
    const message = `The path "${path.path.path}"${on} is never reached: ${where} takes the same requests first.`;
    const hint = "Take one of them away, or give them different paths.";
    return [diagnostic("KIR1310", { message, hint, resource: resourceName(path.ingress), at: path.path.at })];
  });
}

/** Paths that lead nowhere are left out, and so hide none. */
function isKept({ ingress, path: { backend } }: HostPath, services: ServicesByName): boolean {
  const { namespace } = ingress.metadata;
  return backend.kind === "service" && findBackendPort(backend, { namespace, services }) !== undefined;
}

/** No condition is the same as the prefix of every path. */
function identify(uri: UriMatch | undefined): string {
  return uri === undefined ? "prefix /" : `${uri.kind} ${uri.value}`;
}
