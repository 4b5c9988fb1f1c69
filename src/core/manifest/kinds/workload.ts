import { list, recover, refine, stringMap, transform } from "../decode/collections.ts";
import { type Decoder, positionOf } from "../decode/decoder.ts";
import { object, optional, required, withDefault } from "../decode/object.ts";
import { boolean, integer, oneOf, portNumber, string } from "../decode/scalars.ts";
import type { ObjectMeta } from "../manifest.ts";
import { complainAddress } from "../names.ts";
import type { ContainerPort, PodStatus, WorkloadSpec } from "../workload.ts";

const containerPort: Decoder<ContainerPort> = transform(
  object({
    fields: { name: optional(string), containerPort: required(portNumber) },
    others: "ignore",
  }),
  ({ name, containerPort: number }, place, context) => ({ name, number, at: positionOf(place, context) }),
);

const container = object({ fields: { ports: withDefault(list(containerPort), []) }, others: "ignore" });

const podFields = {
  containers: withDefault(recover(list(container), []), []),
  serviceAccountName: optional(string),
  hostNetwork: withDefault(boolean, false),
};

const podSpec = object({ fields: podFields, others: "ignore" });

type PodSpec = Exclude<ReturnType<typeof podSpec>, symbol>;

function buildPod(spec: PodSpec | undefined): Omit<WorkloadSpec, "podLabels" | "podAnnotations" | "replicas" | "pod"> {
  return {
    containerPorts: spec?.containers.flatMap((item) => item.ports) ?? [],
    serviceAccount: spec?.serviceAccountName,
    usesHostNetwork: spec?.hostNetwork ?? false,
  };
}

const template = object({
  fields: {
    metadata: optional(
      object({
        fields: { labels: withDefault(stringMap, {}), annotations: withDefault(stringMap, {}) },
        others: "ignore",
      }),
    ),
    spec: optional(podSpec),
  },
  others: "ignore",
});

type Template = Exclude<ReturnType<typeof template>, symbol>;

function buildWorkload({ metadata, spec }: Template, replicas: number): WorkloadSpec {
  return {
    podLabels: metadata?.labels ?? {},
    podAnnotations: metadata?.annotations ?? {},
    replicas,
    ...buildPod(spec),
    pod: undefined,
  };
}

/** The spec of a Deployment and of whatever else makes pods from a template. */
export const decodeWorkload: Decoder<WorkloadSpec> = transform(
  object({
    fields: { template: required(template), replicas: withDefault(integer, 1) },
    others: "ignore",
  }),
  ({ template: pods, replicas }) => buildWorkload(pods, replicas),
);

const jobFields = object({
  fields: { template: required(template), parallelism: withDefault(integer, 1) },
  others: "ignore",
});

/** The spec of a Job. */
export const decodeJob: Decoder<WorkloadSpec> = transform(jobFields, ({ template: pods, parallelism }) =>
  buildWorkload(pods, parallelism),
);

/** The spec of a CronJob, which makes Jobs. */
export const decodeCronJob: Decoder<WorkloadSpec> = transform(
  object({
    fields: {
      jobTemplate: required(object({ fields: { spec: required(decodeJob) }, others: "ignore" })),
    },
    others: "ignore",
  }),
  ({ jobTemplate }) => jobTemplate.spec,
);

const phases = ["Pending", "Running", "Succeeded", "Failed", "Unknown"] as const;

const condition = object({ fields: { type: optional(string), status: optional(string) }, others: "ignore" });

/** `status` of a Pod that was read from a cluster. */
const decodePodStatus: Decoder<PodStatus> = transform(
  object({
    fields: {
      // A pod that has no place yet has an empty one.
      podIP: optional(
        recover(
          refine(string, (text) => (text === "" ? undefined : complainAddress(text))),
          "",
        ),
      ),
      phase: optional(oneOf(phases)),
      conditions: withDefault(list(condition), []),
    },
    others: "ignore",
  }),
  ({ podIP, phase, conditions }) => {
    const ready = conditions.find(({ type }) => type === "Ready")?.status;
    return { ip: podIP === "" ? undefined : podIP, phase, isReady: ready === undefined ? undefined : ready === "True" };
  },
);

/** A Pod, read from the whole document: its labels are its own. */
export function decodePod(metadata: ObjectMeta): Decoder<WorkloadSpec> {
  return transform(
    object({
      fields: { spec: optional(podSpec), status: optional(recover<PodStatus | undefined>(decodePodStatus, undefined)) },
      others: "ignore",
    }),
    ({ spec, status }) => ({
      podLabels: metadata.labels,
      podAnnotations: metadata.annotations,
      replicas: 1,
      ...buildPod(spec),
      pod: status,
    }),
  );
}
