import type { IngressBackend } from "../manifest/ingress.ts";
import { type Manifest, type ObjectName, objectName, type ServiceManifest } from "../manifest/manifest.ts";

/** Services by name. */
export type ServicesByName = ReadonlyMap<ObjectName, ServiceManifest>;

export function indexServices(manifests: readonly Manifest[]): ServicesByName {
  return new Map(
    manifests
      .filter((manifest) => manifest.kind === "Service")
      .map((manifest) => [objectName(manifest), manifest] as const),
  );
}

export type ServiceBackend = Extract<IngressBackend, { kind: "service" }>;

/**
 * The number of the port that a backend of an Ingress names; a number is taken as it is, whether the Service has it or
 * not. Undefined where there is no such Service or no such port in it. Source: Istio `virtualservices.go`,
 * resolveNamedPort.
 */
export function findBackendPort(
  { service, port }: ServiceBackend,
  { namespace, services }: { readonly namespace: string; readonly services: ServicesByName },
): number | undefined {
  if (typeof port === "number") return port;
  return services.get(`${namespace}/${service}`)?.spec.ports.find(({ name }) => name === port)?.number;
}
