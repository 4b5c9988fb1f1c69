import { list, nonEmpty, refine, stringMap, strings, transform } from "../decode/collections.ts";
import {
  type DecodeContext,
  type Decoder,
  type Invalid,
  invalid,
  type Place,
  report,
  reportValue,
  reportLack,
  describeAs,
} from "../decode/decoder.ts";
import { object, optional, reportMissing, required } from "../decode/object.ts";
import { durationMs, integer, string } from "../decode/scalars.ts";
import type { HostPort, HttpReadiness, LocalWorkloadSource, LocalWorkloadSpec } from "../local-workload.ts";
import { complainHost } from "../names.ts";
import { portReference } from "./service.ts";

const hostPort: Decoder<HostPort> = transform(string, (text, place, context) => {
  const parts = /^(?:\[([^\]]+)\]|([^:]+)):([0-9]{1,5})$/.exec(text);
  const host = parts?.[1] ?? parts?.[2];
  const port = Number(parts?.[3]);
  return host === undefined || complainHost(host) !== undefined || port < 1 || port > 65535
    ? reportValue(place, context, {
        complaint: `must be an address with a port, but is ${JSON.stringify(text)}`,
        hint: "Write it as 127.0.0.1:8081.",
      })
    : { host, port };
});

/** A list of words, or one string that the shell runs, as in package.json. */
const command: Decoder<readonly string[]> = describeAs(
  (place, context) => {
    if (place.value.kind === "string") {
      const line = place.value.value;
      return line.trim() === "" ? reportValue(place, context, "must not be empty") : ["/bin/sh", "-c", line];
    }
    return nonEmpty(strings)(place, context);
  },
  { kind: "either", shapes: [string.shape, strings.shape] },
);

const replicas = refine(integer, (value) =>
  value >= 1 && value <= 100 ? undefined : `must be from 1 to 100, but is ${value}`,
);

const path = refine(string, (text) => (text.startsWith("/") ? undefined : "must begin with a slash"));

const commandReadiness: HttpReadiness = { path: undefined, intervalMs: 200, timeoutMs: 2000 };
/** What somebody else runs is asked less often. */
const addressReadiness: HttpReadiness = { path: undefined, intervalMs: 1000, timeoutMs: 1000 };

/** `http: /ready`, or `http: {path: /ready}`. */
const longCheck = transform(object({ fields: { path: optional(path) } }), (check) => check.path);
const httpCheck: Decoder<string | undefined> = describeAs(
  (place, context) => (place.value.kind === "string" ? path : longCheck)(place, context),
  { kind: "either", shapes: [path.shape, longCheck.shape] },
);

const decodeReadiness = object({
  fields: { http: optional(httpCheck), interval: optional(durationMs), timeout: optional(durationMs) },
});

const environmentVariable = object({ fields: { name: required(string), value: required(string) } });

const variableList = transform(list(environmentVariable), (variables) =>
  Object.fromEntries(variables.map(({ name, value }) => [name, value])),
);

/** A mapping, or the list of names and values that a pod template has. Tokens are handed over so, and never quoted. */
const environment: Decoder<Readonly<Record<string, string>>> = describeAs(
  (place, context) => {
    const decode = place.value.kind === "list" ? variableList : stringMap;
    return decode(place, { ...context, hidesValues: true });
  },
  { kind: "either", shapes: [stringMap.shape, variableList.shape] },
);

const decodeFields = object({
  fields: {
    labels: optional(stringMap),
    targetPort: optional(portReference),
    addresses: optional(nonEmpty(list(hostPort))),
    command: optional(command),
    workingDirectory: optional(string),
    env: optional(environment),
    replicas: optional(replicas),
    readiness: optional(decodeReadiness),
  },
});

type WorkloadFields = Exclude<ReturnType<typeof decodeFields>, symbol>;

/**
 * The spec of a `kirikae.dev/v1alpha1` LocalWorkload; `labels` falls back to those of the metadata.
 * A spec takes either addresses that something else serves, or a command that kirikae starts.
 */
export function decodeLocalWorkload(metadataLabels: Readonly<Record<string, string>>): Decoder<LocalWorkloadSpec> {
  return transform(decodeFields, (fields, place, context) => {
    const source = buildSource(fields, place, context);
    const labels = fields.labels ?? metadataLabels;
    if (Object.keys(labels).length === 0) {
      if (!context.misspelt.has(place.value)) reportMissing("labels", place, context);
      return invalid;
    }
    return source === invalid ? invalid : { labels, targetPort: fields.targetPort, source };
  });
}

function buildSource(fields: WorkloadFields, place: Place, context: DecodeContext): LocalWorkloadSource | Invalid {
  const { addresses, command: words } = fields;
  if ((addresses === undefined) === (words === undefined)) {
    const hint = "addresses: [127.0.0.1:8081] names what runs already; command is started with $PORT.";
    return reportLack(place, context, { complaint: "needs either addresses or command", hint });
  }
  if (addresses !== undefined) {
    const stray = (["workingDirectory", "env", "replicas"] as const).find((name) => fields[name] !== undefined);
    if (stray === undefined) {
      return { kind: "addresses", addresses, readiness: buildReadiness(fields, addressReadiness) };
    }
    report(place, context, { code: "KIR1014", message: `"spec.${stray}" belongs to command, not to addresses.` });
    return invalid;
  }
  return {
    kind: "command",
    command: words ?? [],
    workingDirectory: fields.workingDirectory,
    env: fields.env ?? {},
    replicas: fields.replicas ?? 1,
    readiness: buildReadiness(fields, commandReadiness),
  };
}

function buildReadiness({ readiness }: WorkloadFields, byDefault: HttpReadiness): HttpReadiness {
  return {
    path: readiness?.http ?? byDefault.path,
    intervalMs: readiness?.interval ?? byDefault.intervalMs,
    timeoutMs: readiness?.timeout ?? byDefault.timeoutMs,
  };
}
