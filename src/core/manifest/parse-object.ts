import type { FindingLog } from "../diagnostics/finding-log.ts";
import { type DecodeContext, type Decoder, childPlace, invalid, type Place, report } from "./decode/decoder.ts";
import { didYouMean, listNames } from "./decode/nearest-name.ts";
import { fieldPlace, isMisspelt, reportMissing } from "./decode/object.ts";
import { type KindReader, lookUpKind } from "./kind-table.ts";
import { decodeMetadata } from "./kinds/metadata.ts";
import type { Manifest, ObjectMeta } from "./manifest.ts";
import { complainObjectLabel } from "./names.ts";
import type { LineIndex } from "./yaml/line-index.ts";
import { describeType, type YamlMap, type YamlValue } from "./yaml/yaml-value.ts";

export interface ObjectContext {
  readonly lines: Pick<LineIndex, "positionOf">;
  readonly log: FindingLog;
  readonly defaultNamespace: string;
}

/** Reads one document: an object, or a List of them. Depth is bounded by the YAML reader. */
export function* parseObject(value: YamlValue, context: ObjectContext): Generator<Manifest> {
  if (value.kind !== "map") {
    reportObject(value, context, `A document must be a Kubernetes object, but this one is ${describeType(value)}.`);
    return;
  }
  const kind = textOf(value, "kind");
  const apiVersion = textOf(value, "apiVersion");
  if (kind === undefined || apiVersion === undefined) {
    const missing = kind === undefined ? "kind" : "apiVersion";
    reportObject(value, context, `A Kubernetes object needs "${missing}", as a string.`);
    return;
  }
  const items = value.entries.get("items")?.value;
  if (kind.endsWith("List") && items?.kind === "list") {
    for (const item of items.items) {
      yield* parseObject(item, context);
    }
    return;
  }
  const manifest = parseSingle(value, { kind, apiVersion }, context);
  if (manifest !== undefined) {
    yield manifest;
  }
}

interface TypeMeta {
  readonly kind: string;
  readonly apiVersion: string;
}

function parseSingle(value: YamlMap, type: TypeMeta, context: ObjectContext): Manifest | undefined {
  const lookup = lookUpKind(type.apiVersion, type.kind, value);
  switch (lookup.found) {
    case "reader":
      return decodeManifest(value, lookup.reader, { type, context });
    case "unknownVersion": {
      const { group, versions, kind } = lookup.reader;
      const known = versions.map((version) => (group === "" ? version : `${group}/${version}`));
      context.log.report("KIR1015", () => ({
        message: `${kind} is not known in version "${type.apiVersion}".`,
        hint: `Known versions: ${listNames(known)}.`,
        resource: resourceOf(value, type, context),
        at: context.lines.positionOf(value.entries.get("apiVersion")?.value.offset ?? value.offset),
      }));
      return undefined;
    }
    case "unservedKind":
      reportKind("KIR1007", value, {
        type,
        context,
        message: `${type.kind} is Istio's, but has no effect here: ${lookup.reason}.`,
      });
      return undefined;
    case "unknownKind": {
      const message = `"${type.kind}" is not a kind of ${type.apiVersion} that is known.`;
      const hint = didYouMean(type.kind, lookup.known) ?? `Known kinds: ${listNames(lookup.known)}.`;
      reportKind("KIR1015", value, { type, context, message, hint });
      return undefined;
    }
    case "other":
      reportKind("KIR1009", value, {
        type,
        context,
        message: `${type.kind} is not read, because ${whyNotRead(type)}.`,
      });
      return undefined;
  }
}

function whyNotRead({ apiVersion }: TypeMeta): string {
  const isGatewayApi = apiVersion.startsWith("gateway.networking.k8s.io/");
  return isGatewayApi ? "the Kubernetes Gateway API is not served" : "it does not route";
}

interface Subject {
  readonly type: TypeMeta;
  readonly context: ObjectContext;
}

function decodeManifest(value: YamlMap, reader: KindReader, { type, context }: Subject): Manifest | undefined {
  const place: Place = { value, parent: undefined, key: "" };
  const decodeContext: DecodeContext = {
    lines: context.lines,
    log: context.log,
    resource: resourceOf(value, type, context),
    kind: type.kind,
    namespace: "",
    misspelt: new WeakSet(),
    hidesValues: ["Secret", "ConfigMap"].includes(type.kind),
  };
  if (reader.isStrict) {
    reportStrayFields(place, value, decodeContext);
  }
  const metadata = readMetadata(place, reader, { context: decodeContext, defaultNamespace: context.defaultNamespace });
  const spec =
    metadata === undefined
      ? undefined
      : readSpec(place, reader, { context: { ...decodeContext, namespace: metadata.namespace }, metadata });
  if (metadata === undefined || spec === undefined) {
    return undefined;
  }
  const at = context.lines.positionOf(value.offset);
  // The reader of a kind gives the spec of that kind: kind-table.ts is where the two are paired.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the table cannot say so to the compiler.
  return { kind: reader.kind, apiVersion: type.apiVersion, metadata, spec, at } as Manifest;
}

function readMetadata(
  place: Place,
  reader: KindReader,
  { context, defaultNamespace }: { readonly context: DecodeContext; readonly defaultNamespace: string },
): ObjectMeta | undefined {
  const at = fieldPlace(place, "metadata");
  if (at === undefined) {
    reportUnlessMisspelt("metadata", place, { reader, context });
    return undefined;
  }
  const metadata = decodeMetadata(at, context);
  if (metadata === invalid) {
    return undefined;
  }
  const namespace = reader.isNamespaced ? (metadata.namespace ?? defaultNamespace) : "";
  for (const [name, text] of Object.entries({ name: metadata.name, namespace })) {
    const complaint = text === "" && name === "namespace" ? undefined : complainObjectName(text);
    if (complaint !== undefined) {
      const where = fieldPlace(at, name) ?? at;
      report(where, context, { code: "KIR1005", message: `"metadata.${name}" ${complaint}.` });
    }
  }
  return { ...metadata, namespace };
}

/** Object names may have dots between labels, as in `a.b`. */
function complainObjectName(text: string): string | undefined {
  if (text.length > 253) {
    return "must be at most 253 characters long";
  }
  const wrong = text
    .split(".")
    .map((part) => complainObjectLabel(part))
    .find((complaint) => complaint !== undefined);
  return wrong === undefined ? undefined : `must be a DNS name in lower case, but is ${JSON.stringify(text)}`;
}

function readSpec(
  place: Place,
  reader: KindReader,
  { context, metadata }: { readonly context: DecodeContext; readonly metadata: ObjectMeta },
): Manifest["spec"] | undefined {
  const decode: Decoder<Manifest["spec"]> = reader.decode(metadata, place);
  if (reader.from === "document") {
    const whole = decode(place, context);
    return whole === invalid ? undefined : whole;
  }
  const spec = fieldPlace(place, "spec");
  if (spec === undefined && reader.from === "spec") {
    reportUnlessMisspelt("spec", place, { reader, context });
    return undefined;
  }
  const empty: YamlMap = { kind: "map", entries: new Map(), offset: place.value.offset, size: 1 };
  const decoded = decode(spec ?? childPlace(place, "spec", empty), context);
  return decoded === invalid ? undefined : decoded;
}

function reportUnlessMisspelt(
  name: string,
  place: Place,
  { reader, context }: { readonly reader: KindReader; readonly context: DecodeContext },
): void {
  const isTold = reader.isStrict && place.value.kind === "map" && isMisspelt(name, place.value, objectFields);
  if (!isTold) reportMissing(name, place, context);
}

const objectFields = ["apiVersion", "kind", "metadata", "spec", "status"];

function reportStrayFields(place: Place, value: YamlMap, context: DecodeContext): void {
  for (const [name, entry] of value.entries) {
    if (objectFields.includes(name)) {
      continue;
    }
    const hint = (): string => didYouMean(name, objectFields) ?? `Known fields here: ${listNames(objectFields)}.`;
    const message = `"${name}" is not a field that ${context.kind} has.`;
    report(place, context, { code: "KIR1004", message, hint, offset: entry.keyOffset });
  }
}

function textOf(value: YamlMap, name: string): string | undefined {
  const entry = value.entries.get(name)?.value;
  return entry?.kind === "string" && entry.value !== "" ? entry.value : undefined;
}

/** `Kind namespace/name`, from whatever of it is there. */
function resourceOf(value: YamlMap, type: TypeMeta, context: ObjectContext): string {
  const metadata = value.entries.get("metadata")?.value;
  const [name, namespace] =
    metadata?.kind === "map" ? [textOf(metadata, "name"), textOf(metadata, "namespace")] : [undefined, undefined];
  const prefix = ["Namespace", "IngressClass"].includes(type.kind) ? "" : `${namespace ?? context.defaultNamespace}/`;
  return `${type.kind} ${prefix}${name ?? "(no name)"}`;
}

function reportObject(value: YamlValue, context: ObjectContext, message: string): void {
  context.log.report("KIR1003", () => ({ message, at: context.lines.positionOf(value.offset) }));
}

function reportKind(
  code: "KIR1007" | "KIR1009" | "KIR1015",
  value: YamlMap,
  finding: Subject & { readonly message: string; readonly hint?: string },
): void {
  const { type, context, message, hint } = finding;
  context.log.report(code, () => ({
    message,
    hint,
    resource: resourceOf(value, type, context),
    at: context.lines.positionOf(value.offset),
  }));
}
