import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { resourceName, type ServiceManifest } from "../manifest/manifest.ts";
import type { ServicePort } from "../manifest/service.ts";
import type { Mesh } from "./mesh.ts";
import { guessProtocol, namedProtocol } from "./port-protocol.ts";

/**
 * Ports of Services whose protocol has to be guessed (IST0118), and those of ExternalName Services that take more than
 * was meant (IST0150). Source: Istio `pkg/config/analysis/analyzers/service/portname.go`.
 */
export function checkPortNames(mesh: Pick<Mesh, "manifests">): readonly Diagnostic[] {
  return mesh.manifests
    .filter((manifest) => manifest.kind === "Service")
    .filter((service) => !isGenerated(service))
    .flatMap((service) => service.spec.ports.flatMap((port) => checkPort(service, port) ?? []));
}

const systemNamespaces = new Set(["kube-system", "kube-public", "kube-node-lease", "local-path-storage"]);
const generators = new Set(["istio.io-gateway-controller", "istio.io-mesh-controller", "istio.io-eastwest-controller"]);

/** Services that no user writes: those of Kubernetes, of Istio itself, and of generated gateways. */
function isGenerated({ metadata }: ServiceManifest): boolean {
  const { labels, namespace } = metadata;
  return (
    systemNamespaces.has(namespace) ||
    Object.hasOwn(labels, "istio") ||
    labels["release"] === "istio" ||
    generators.has(labels["gateway.istio.io/managed"] ?? "")
  );
}

function checkPort(service: ServiceManifest, port: ServicePort): Diagnostic | undefined {
  const isUnnamed = port.protocol === "TCP" && namedProtocol(port) === undefined;
  if (service.spec.type === "ExternalName") {
    return isUnnamed || port.name === "tcp" ? reportExternal(service, port) : undefined;
  }
  return isUnnamed && !isServerFirst(port) ? reportGuess(service, port) : undefined;
}

/** Istio takes a few well-known ports for TCP without a name, because their servers speak first. */
function isServerFirst(port: ServicePort): boolean {
  return guessProtocol(port) === "tcp";
}

function reportGuess(service: ServiceManifest, port: ServicePort): Diagnostic {
  const name = port.name === undefined ? "" : ` "${port.name}"`;
  return diagnostic("KIR1033", {
    message: `Port ${port.number}${name} does not say its protocol, so ${guessProtocol(port)} is taken.`,
    hint: `Name it http${port.name === undefined ? "" : `-${port.name}`}, or set appProtocol.`,
    resource: resourceName(service),
    at: port.at,
  });
}

function reportExternal(service: ServiceManifest, port: ServicePort): Diagnostic {
  const name = port.name === undefined ? "has no name" : `has the name "${port.name}"`;
  return diagnostic("KIR1211", {
    message: `Port ${port.number} of this ExternalName Service ${name}, so proxies send all TCP traffic of port ${port.number} that they know no better place for to it.`,
    hint: "Name it by its protocol, such as http, https or tls-NAME; these are told apart by their host.",
    resource: resourceName(service),
    at: port.at,
  });
}
