import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { didYouMean, listNames } from "../manifest/decode/nearest-name.ts";
import { type IngressManifest, resourceName } from "../manifest/manifest.ts";
import type { GatewayPods } from "./gateway-pods.ts";
import { rootNamespace } from "./host-name.ts";
import { indexServices, type ServiceBackend, type ServicesByName } from "./ingress-backend.ts";
import { servedIngresses } from "./ingress-manifests.ts";
import { ingressHost } from "./ingress-rules.ts";
import type { Mesh } from "./mesh.ts";
import type { ServiceDirectory } from "./service-directory.ts";

interface Surroundings {
  readonly directory: ServiceDirectory;
  readonly services: ServicesByName;
  /** Where the pods of the gateway are. */
  readonly gatewayNamespaces: readonly string[];
}

/** Backends of Ingresses that lead nowhere: no such Service, no such port, or nothing that requests can be sent to. */
export function checkIngressBackends(
  mesh: Pick<Mesh, "manifests" | "gateways">,
  { directory, pods }: { readonly directory: ServiceDirectory; readonly pods: GatewayPods },
): readonly Diagnostic[] {
  const ingresses = servedIngresses(mesh.manifests);
  if (ingresses.length === 0) return [];
  const made = mesh.gateways.find(({ madeFrom }) => madeFrom !== undefined);
  const gatewayNamespaces = made === undefined ? [rootNamespace] : pods.namespacesOf(made);
  const surroundings = { directory, services: indexServices(mesh.manifests), gatewayNamespaces };
  const findings: Diagnostic[] = [];
  for (const ingress of ingresses) {
    for (const { backend } of ingress.spec.rules.flatMap(({ paths }) => paths ?? [])) {
      const found =
        backend.kind === "resource"
          ? reportResource(ingress, backend)
          : checkBackend({ ingress, backend, isHinted: findings.length < hintedFindings }, surroundings);
      if (found !== undefined) findings.push(found);
    }
  }
  return findings;
}

/** Guessing what was meant takes a look at every name, so that it is done for the first findings only. */
const hintedFindings = 100;

interface BackendReference {
  readonly ingress: IngressManifest;
  readonly backend: ServiceBackend;
  readonly isHinted: boolean;
}

function reportResource(
  ingress: IngressManifest,
  { resource, at }: { readonly resource: string; readonly at: Diagnostic["at"] },
): Diagnostic {
  return diagnostic("KIR1305", {
    message: `The path leads to ${resource}, which is no Service, so Istio leaves it out.`,
    hint: "Put a Service in front of it, or route the path elsewhere.",
    resource: resourceName(ingress),
    at,
  });
}

function checkBackend(reference: BackendReference, surroundings: Surroundings): Diagnostic | undefined {
  return typeof reference.backend.port === "string"
    ? checkNamedPort(reference, reference.backend.port, surroundings)
    : checkPortNumber(reference, reference.backend.port, surroundings);
}

/** Istio looks names of ports up in Services alone, whoever sees them. */
function checkNamedPort(reference: BackendReference, port: string, { services }: Surroundings): Diagnostic | undefined {
  const { ingress, backend } = reference;
  const service = services.get(`${ingress.metadata.namespace}/${backend.service}`);
  const effect = "so Istio leaves the path out";
  if (service === undefined) return reportNoService(reference, { services, effect });
  if (service.spec.ports.some(({ name }) => name === port)) return undefined;
  const names = service.spec.ports.flatMap(({ name }) => name ?? []);
  const hint = didYouMean(port, names) ?? "A backend names a port as the Service does, not as the container does.";
  return reportNoPort(reference, `named "${port}" (known names: ${listNames(names)}), ${effect}`, hint);
}

function checkPortNumber(
  reference: BackendReference,
  port: number,
  surroundings: Surroundings,
): Diagnostic | undefined {
  const { ingress, backend } = reference;
  const { directory, services, gatewayNamespaces } = surroundings;
  const host = ingressHost(backend.service, ingress.metadata.namespace);
  const declared = directory.find(host);
  const effect = "so requests get 503";
  if (declared.length === 0) return reportNoService(reference, { services, effect });
  const blind = gatewayNamespaces.find((namespace) => directory.findVisible(host, namespace).length === 0);
  if (blind !== undefined) {
    const message = `The Service "${backend.service}" is not exported to namespace ${blind}, where the gateway is, ${effect}.`;
    const hint = `Add ${blind} to its annotation networking.istio.io/exportTo.`;
    return diagnostic("KIR1303", { message, hint, resource: resourceName(ingress), at: backend.at });
  }
  const isService = declared[0]?.resource.startsWith("Service ") === true;
  const ports = (isService ? declared.slice(0, 1) : declared).flatMap((declaration) => declaration.ports);
  if (ports.includes(port)) return undefined;
  const known = listNames(ports.map(String));
  const hint = "A backend takes the port of the Service, not its targetPort.";
  return reportNoPort(reference, `${port} (known ports: ${known}), ${effect}`, hint);
}

function reportNoService(
  { ingress, backend, isHinted }: BackendReference,
  { services, effect }: { readonly services: ServicesByName; readonly effect: string },
): Diagnostic {
  const { namespace } = ingress.metadata;
  return diagnostic("KIR1303", {
    message: `There is no Service "${backend.service}" in namespace ${namespace}, ${effect}.`,
    hint: isHinted ? guessService(backend.service, namespace, services) : undefined,
    resource: resourceName(ingress),
    at: backend.at,
  });
}

function guessService(name: string, namespace: string, services: ServicesByName): string {
  const all = [...services.values()].map(({ metadata }) => metadata);
  const elsewhere = all.find((metadata) => metadata.name === name);
  if (elsewhere !== undefined) {
    return `There is one in ${elsewhere.namespace}, but an Ingress reaches only Services of its own namespace.`;
  }
  const own = all.filter((metadata) => metadata.namespace === namespace).map((metadata) => metadata.name);
  return didYouMean(name, own.slice(0, 1000)) ?? `Known Services there: ${listNames(own)}.`;
}

function reportNoPort({ ingress, backend }: BackendReference, port: string, hint: string): Diagnostic {
  return diagnostic("KIR1304", {
    message: `The Service "${backend.service}" has no port ${port}.`,
    hint,
    resource: resourceName(ingress),
    at: backend.at,
  });
}
