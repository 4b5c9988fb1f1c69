import { isDeepStrictEqual } from "node:util";

/** Parts of Envoy's resources that most have alike, and that would hide what a case is about. */
const foldedKeys = new Set([
  "accessLog",
  "circuitBreakers",
  "commonLbConfig",
  "edsConfig",
  "httpFilters",
  "listenerFilters",
  "localReplyConfig",
  "rds",
  "retryPolicy",
  "setCurrentClientCertDetails",
  "typedExtensionProtocolOptions",
  "upgradeConfigs",
]);

/** The resources with each part that is as in the reference replaced by a word; `# in full` in a case keeps them. */
export function foldUsual(resources: unknown, reference: unknown): unknown {
  const usual = new Map<string, readonly unknown[]>();
  collect(reference, usual);
  return fold(resources, usual);
}

function collect(value: unknown, usual: Map<string, readonly unknown[]>): void {
  if (typeof value !== "object" || value === null) return;
  for (const [key, part] of Object.entries(value)) {
    if (foldedKeys.has(key)) usual.set(key, [...(usual.get(key) ?? []), part]);
    collect(part, usual);
  }
}

function fold(value: unknown, usual: ReadonlyMap<string, readonly unknown[]>): unknown {
  if (Array.isArray(value)) return value.map((item) => fold(item, usual));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => {
      const isUsual =
        usual.get(key)?.some((known) => isDeepStrictEqual(withoutName(known), withoutName(part))) === true;
      return [key, isUsual ? "as usual" : fold(part, usual)];
    }),
  );
}

/** A listener's routes are named after it. */
function withoutName(value: unknown): unknown {
  return typeof value === "object" && value !== null && "routeConfigName" in value
    ? { ...value, routeConfigName: "" }
    : value;
}
