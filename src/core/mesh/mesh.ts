import type { Position } from "../diagnostics/position.ts";
import type {
  DestinationRuleManifest,
  GatewayManifest,
  LocalWorkloadManifest,
  Manifest,
  ObjectName,
  VirtualServiceManifest,
  WorkloadManifest,
} from "../manifest/manifest.ts";

/** A fully qualified host name in lower case, such as `nginx.sample-ns.svc.cluster.local`. */
export type HostName = string;

/**
 * The manifests, linked: short names resolved, Services tied to the workloads behind them, lists in Istio's order
 * (creation time, then name, then namespace). Nothing here depends on a running process.
 */
export interface Mesh {
  /** With what Ingresses stand for, as in the next list; those have `madeFrom`. */
  readonly gateways: readonly GatewayManifest[];
  readonly virtualServices: readonly VirtualServiceManifest[];
  readonly services: ReadonlyMap<HostName, MeshService>;
  readonly destinationRules: readonly DestinationRuleManifest[];
  readonly workloads: readonly WorkloadManifest[];
  readonly localWorkloads: ReadonlyMap<ObjectName, LocalWorkloadManifest>;
  /** Every object that somebody wrote and that counts, in Istio's order: for checks that ask about more than what is linked above. */
  readonly manifests: readonly Manifest[];
}

/** A host that traffic can be sent to: a Kubernetes Service or one host of a ServiceEntry. */
export interface MeshService {
  readonly host: HostName;
  readonly namespace: string;
  readonly origin: { readonly kind: "Service" | "ServiceEntry"; readonly name: ObjectName; readonly at: Position };
  readonly ports: readonly MeshPort[];
  readonly resolution: ServiceResolution;
  readonly endpoints: readonly MeshEndpoint[];
  /** Namespaces whose clients see it, `*` for all; empty for nobody. */
  readonly exportedTo: readonly string[];
  /** Another host that is meant by this one: an ExternalName Service has no endpoints of its own. */
  readonly aliasOf?: HostName | undefined;
  /** IP addresses by which callers inside the mesh may ask for it; none where absent. */
  readonly addresses?: readonly string[] | undefined;
  /** True where callers may ask for single pods by names below the service's own. */
  readonly hasPodNames?: true | undefined;
  /** One of these is in the certificates of the endpoints, where TLS is begun with them. */
  readonly subjectAltNames: readonly string[];
  readonly trafficDistribution?: "PreferClose" | "PreferSameZone" | "PreferSameNode" | undefined;
  /** What other namespaces declare for the same host, which counts for clients that do not see this one; oldest first. */
  readonly others?: readonly MeshService[] | undefined;
}

type ServiceResolution =
  /** Addresses are in the manifests, or known while a process runs. */
  | "static"
  /** The names of the endpoints are looked up, and every address takes part. */
  | "dns"
  /** As `dns`, and the first address takes all. */
  | "logicalDns"
  /** The host that a request names is looked up. */
  | "requestHost"
  /** The address that the client meant; at a gateway nobody, and Envoy answers 503 UH (field notes, istio.md 1.9). */
  | "none";

export interface MeshPort {
  readonly number: number;
  readonly name: string | undefined;
  /** From appProtocol, the port's name or the ServiceEntry: what is spoken to the endpoints. */
  readonly protocol: "http" | "http2" | "tcp" | "tls" | "udp";
}

/** One place behind a service; which ports of the service it serves, and with which labels subsets see it. */
export interface MeshEndpoint {
  readonly labels: Readonly<Record<string, string>>;
  readonly source: EndpointSource;
  /** Service port numbers it serves, with the port to dial; a local workload is dialled at its own port. */
  readonly ports: ReadonlyMap<number, number>;
  /** Its share beside the other endpoints; 1 when absent. */
  readonly weight?: number | undefined;
  /** `region/zone/subzone`, or less of it; labels can say the same. */
  readonly locality?: string | undefined;
}

type EndpointSource =
  /** An address that a manifest fixes: IP or DNS name. */
  | { readonly kind: "address"; readonly address: string }
  /** The replicas of a LocalWorkload, known only while it runs (`addresses` ones too, for their readiness). */
  | { readonly kind: "localWorkload"; readonly name: ObjectName };
