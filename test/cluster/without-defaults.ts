/** Fields that Envoy takes as it would take their absence; a field is named with the object around it or alone. */
const defaults: Readonly<Record<string, unknown>> = {
  case_sensitive: true,
  path_with_escaped_slashes_action: "KEEP_UNCHANGED",
  lb_policy: "ROUND_ROBIN",
};

/**
 * Removes what says nothing: absent fields, empty messages and lists, and values that are Envoy's defaults. An empty
 * message that means something is kept by its name.
 */
export function withoutDefaults<Value>(value: Value): Value {
  return strip(value) as Value;
}

/** Names under which an operator could change a value; the value is what counts. */
const leftOut = new Set(["runtime_key"]);

const meaningfulWhenEmpty = new Set([
  "healthy_panic_threshold",
  "round_robin_lb_config",
  "least_request_lb_config",
  "http2_protocol_options",
  "use_downstream_protocol_config",
  "present_match",
  "source_ip",
]);

function strip(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strip);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).flatMap(([field, inner]): [string, unknown][] => {
    const stripped = strip(inner);
    const isDefault =
      leftOut.has(field) || stripped === undefined || stripped === false || stripped === defaults[field];
    if (isDefault || (isEmpty(stripped) && !meaningfulWhenEmpty.has(field))) return [];
    return [[field, stripped]];
  });
  return Object.fromEntries(kept.toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
