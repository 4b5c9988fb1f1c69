import type { LocalityLoadBalancing } from "./destination-rule.ts";
import type { HttpRetry } from "./virtual-service.ts";

/** Istio's settings for the whole mesh, as far as they change routing; an absent one has Istio's default. */
export interface MeshConfig {
  readonly outboundTrafficPolicy: "ALLOW_ANY" | "REGISTRY_ONLY";
  /** What takes the place of the retries that Istio adds by itself; undefined leaves those. */
  readonly defaultHttpRetryPolicy: HttpRetry | undefined;
  /** Namespaces, `.` or `*`. */
  readonly defaultVirtualServiceExportTo: readonly string[];
  readonly defaultDestinationRuleExportTo: readonly string[];
  readonly defaultServiceExportTo: readonly string[];
  /** Where objects for the whole mesh live. */
  readonly rootNamespace: string;
  /** The class of Ingresses that count. */
  readonly ingressClass: string;
  /** The Service of the gateway that Ingresses are bound to, in the root namespace. */
  readonly ingressService: string;
  /** The value of the label `istio` on that gateway's pods; empty takes it from `ingressService`. */
  readonly ingressSelector: string;
  /** `STRICT` takes Ingresses of the class alone, `DEFAULT` those without a class too. */
  readonly ingressControllerMode: "OFF" | "DEFAULT" | "STRICT";
  readonly connectTimeoutMs: number;
  /** True where proxies are told to give ServiceEntries without addresses some of their own. */
  readonly allocatesAddresses?: boolean;
  readonly localityLbSetting: LocalityLoadBalancing | undefined;
}

/** Source: Istio `pkg/config/mesh/mesh.go`, DefaultMeshConfig. */
export const defaultMeshConfig: MeshConfig = {
  outboundTrafficPolicy: "ALLOW_ANY",
  defaultHttpRetryPolicy: undefined,
  defaultVirtualServiceExportTo: ["*"],
  defaultDestinationRuleExportTo: ["*"],
  defaultServiceExportTo: ["*"],
  rootNamespace: "istio-system",
  ingressClass: "istio",
  ingressService: "istio-ingressgateway",
  ingressSelector: "",
  ingressControllerMode: "STRICT",
  connectTimeoutMs: 10_000,
  localityLbSetting: { enabled: true, distribute: [], failover: [], failoverPriority: [] },
};
