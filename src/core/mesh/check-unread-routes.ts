import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { listNames } from "../manifest/decode/nearest-name.ts";
import { resourceName, type VirtualServiceManifest } from "../manifest/manifest.ts";
import { HostIndex } from "./host-index.ts";
import { resolveHost } from "./host-name.ts";
import type { HostName, Mesh } from "./mesh.ts";
import { findUnreadRoutes, type UnreadRoute } from "./unread-routes.ts";

/** More of them would hide the name of the route. */
const mostNamed = 5;

interface Routed {
  readonly host: HostName;
  readonly service: VirtualServiceManifest;
}

/** Routes of the Kubernetes Gateway API, which nobody here reads, and what else is for their hosts. */
export function checkUnreadRoutes(mesh: Pick<Mesh, "manifests" | "virtualServices">): readonly Diagnostic[] {
  const routes = findUnreadRoutes(mesh);
  if (routes.length === 0) return [];
  const known = new HostIndex<Routed>(mesh.virtualServices.flatMap(listHosts), ({ host }) => host);
  return routes.map((route) => reportRoute(route, known));
}

function listHosts(service: VirtualServiceManifest): readonly Routed[] {
  const { spec, metadata } = service;
  return spec.hosts.map((host) => ({ host: resolveHost(host, metadata.namespace), service }));
}

function reportRoute({ manifest, hosts }: UnreadRoute, known: HostIndex<Routed>): Diagnostic {
  const resource = resourceName(manifest);
  const named = hosts.filter((host) => host !== "*");
  const shared = named.flatMap((host) => known.findOverlapping(host, mostNamed));
  const rivals = [...new Set(shared.map(({ service }) => resourceName(service)))];
  const requests = named.length === 0 ? "hosts of its Gateway" : listNames(named, mostNamed);
  const subject = { resource, at: manifest.at };
  if (rivals.length === 0) {
    const message = `The Kubernetes Gateway API is not read, so requests for ${requests} may have routes that are not known here.`;
    return diagnostic("KIR1314", { ...subject, message });
  }
  const verb = rivals.length === 1 ? "is" : "are";
  return diagnostic("KIR1313", {
    ...subject,
    message: `${listNames(rivals, mostNamed)} ${verb} for ${requests} too, and what this ${manifest.kind} does is not read, so that requests may go elsewhere than is said here.`,
    hint: "Where both are attached to the same proxies, keep the rules of a host in one kind of object.",
  });
}
