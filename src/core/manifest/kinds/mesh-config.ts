import { stringMap, strings, transform } from "../decode/collections.ts";
import { type Decoder, invalid, positionOf, renderPath, report } from "../decode/decoder.ts";
import { object, optional, required, withDefault } from "../decode/object.ts";
import { durationMs, oneOf, string } from "../decode/scalars.ts";
import { defaultMeshConfig, type MeshConfig } from "../mesh-config.ts";
import { readYaml } from "../yaml/read-yaml.ts";
import { decodeRetries } from "./http-retry.ts";
import { decodeLocality } from "./locality-load-balancing.ts";

const outboundPolicy = object({ fields: { mode: optional(oneOf(["REGISTRY_ONLY", "ALLOW_ANY"])) }, others: "ignore" });

const proxyConfig = object({ fields: { proxyMetadata: withDefault(stringMap, {}) }, others: "ignore" });

const configFields = object({
  fields: {
    outboundTrafficPolicy: optional(outboundPolicy),
    defaultHttpRetryPolicy: optional(decodeRetries),
    defaultVirtualServiceExportTo: optional(strings),
    defaultDestinationRuleExportTo: optional(strings),
    defaultServiceExportTo: optional(strings),
    rootNamespace: optional(string),
    ingressClass: optional(string),
    ingressService: optional(string),
    ingressSelector: optional(string),
    ingressControllerMode: optional(oneOf(["UNSPECIFIED", "OFF", "DEFAULT", "STRICT"])),
    connectTimeout: optional(durationMs),
    localityLbSetting: optional(decodeLocality),
    defaultConfig: optional(proxyConfig),
  },
  others: "ignore",
});

type ConfigFields = Exclude<ReturnType<typeof configFields>, symbol>;

/** Istio's MeshConfig, as far as it changes routing; what it does not say is Istio's default. */
export const decodeMeshConfig: Decoder<MeshConfig> = transform(configFields, (given) => ({
  outboundTrafficPolicy: given.outboundTrafficPolicy?.mode ?? defaultMeshConfig.outboundTrafficPolicy,
  defaultHttpRetryPolicy: given.defaultHttpRetryPolicy,
  ...exportDefaults(given),
  rootNamespace: nonEmpty(given.rootNamespace) ?? defaultMeshConfig.rootNamespace,
  ingressClass: given.ingressClass ?? defaultMeshConfig.ingressClass,
  ingressService: given.ingressService ?? defaultMeshConfig.ingressService,
  ingressSelector: given.ingressSelector ?? defaultMeshConfig.ingressSelector,
  ingressControllerMode: controllerMode(given),
  connectTimeoutMs: given.connectTimeout ?? defaultMeshConfig.connectTimeoutMs,
  localityLbSetting: given.localityLbSetting ?? defaultMeshConfig.localityLbSetting,
  ...(allocatesAddresses(given) ? { allocatesAddresses: true } : {}),
}));

/** Source: Istio `pkg/config/analysis/analyzers/serviceentry/protocoladdresses.go`. */
function allocatesAddresses({ defaultConfig }: ConfigFields): boolean {
  const metadata = defaultConfig?.proxyMetadata ?? {};
  const isOn = (name: string): boolean => metadata[name] === "true";
  const isAllocating = isOn("ISTIO_META_DNS_AUTO_ALLOCATE") || isOn("PILOT_ENABLE_IP_AUTOALLOCATE");
  return isOn("ISTIO_META_DNS_CAPTURE") && isAllocating;
}

function exportDefaults(
  given: ConfigFields,
): Pick<MeshConfig, "defaultVirtualServiceExportTo" | "defaultDestinationRuleExportTo" | "defaultServiceExportTo"> {
  return {
    defaultVirtualServiceExportTo: given.defaultVirtualServiceExportTo ?? ["*"],
    defaultDestinationRuleExportTo: given.defaultDestinationRuleExportTo ?? ["*"],
    defaultServiceExportTo: given.defaultServiceExportTo ?? ["*"],
  };
}

function controllerMode({ ingressControllerMode: mode }: ConfigFields): MeshConfig["ingressControllerMode"] {
  return mode === undefined || mode === "UNSPECIFIED" ? defaultMeshConfig.ingressControllerMode : mode;
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

/** `data.mesh` of the ConfigMap `istio` in the root namespace: YAML within YAML. */
const embedded: Decoder<MeshConfig> = (place, context) => {
  const text = string(place, context);
  if (text === invalid) {
    return invalid;
  }
  const at = positionOf(place, context);
  const [document] = readYaml(text);
  const problem = document?.problems[0];
  if (problem !== undefined) {
    report(place, context, { code: "KIR1001", message: `"${renderPath(place)}" cannot be read: ${problem.message}` });
    return invalid;
  }
  const value = document?.value;
  return value === undefined
    ? defaultMeshConfig
    : decodeMeshConfig({ ...place, value }, { ...context, lines: { positionOf: () => at } });
};

/** The ConfigMap `istio`, read from the whole document. */
export const decodeIstioConfigMap: Decoder<MeshConfig> = transform(
  object({
    fields: { data: required(object({ fields: { mesh: required(embedded) }, others: "ignore" })) },
    others: "ignore",
  }),
  ({ data }) => data.mesh,
);

/** The spec of an `install.istio.io/v1alpha1` IstioOperator. */
export const decodeIstioOperator: Decoder<MeshConfig> = transform(
  object({ fields: { meshConfig: required(decodeMeshConfig) }, others: "ignore" }),
  ({ meshConfig }) => meshConfig,
);
