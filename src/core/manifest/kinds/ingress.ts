import { lenientList, list, nonEmpty, refine, transform } from "../decode/collections.ts";
import {
  type DecodeContext,
  type Decoder,
  type Invalid,
  type Place,
  positionOf,
  reportConflict,
  reportValue,
} from "../decode/decoder.ts";
import { fieldPlace, object, optional, passedOver, required, withDefault } from "../decode/object.ts";
import { oneOf, portNumber, string } from "../decode/scalars.ts";
import type {
  IngressBackend,
  IngressClassSpec,
  IngressPath,
  IngressRule,
  IngressSpec,
  IngressTls,
} from "../ingress.ts";
import type { ObjectMeta } from "../manifest.ts";
import { complainObjectLabel, complainWildcardHost, isIpAddress } from "../names.ts";

const backendPort: Decoder<number | string> = transform(
  object({ fields: { name: optional(string), number: optional(portNumber) } }),
  ({ name, number }, place, context) => {
    if (name !== undefined && number !== undefined) {
      return reportConflict(place, context, "has a name and a number, of which only one can count");
    }
    return number ?? name ?? reportValue(place, context, "needs a number or a name");
  },
);

const backendService = object({
  fields: { name: required(refine(string, complainObjectLabel)), port: required(backendPort) },
});

const backendResource = object({
  fields: { apiGroup: optional(string), kind: required(string), name: required(string) },
});

const decodeBackend: Decoder<IngressBackend> = transform(
  object({
    fields: {
      service: optional(backendService),
      resource: passedOver(optional(backendResource), "Istio sends requests of an Ingress to Services only"),
    },
  }),
  ({ service, resource }, place, context): IngressBackend | Invalid => {
    const at = positionOf(place, context);
    if (service !== undefined && resource !== undefined) {
      return reportConflict(place, context, "has a service and a resource, of which only one can count");
    }
    if (service !== undefined) return { kind: "service", service: service.name, port: service.port, at };
    return resource === undefined
      ? reportValue(place, context, "needs a service")
      : { kind: "resource", resource: `${resource.kind} ${resource.name}`, at };
  },
);

const decodePath: Decoder<IngressPath> = transform(
  object({
    fields: {
      path: withDefault(string, ""),
      pathType: required(oneOf(["Exact", "Prefix", "ImplementationSpecific"])),
      backend: required(decodeBackend),
    },
  }),
  (fields, place, context) => {
    const complaint = complainPath(fields);
    if (complaint !== undefined) return reportPath(complaint, place, context);
    return { ...fields, at: positionOf(place, context) };
  },
);

/** As Kubernetes refuses it: `pkg/apis/networking/validation/validation.go`, validateHTTPIngressPath. */
function complainPath({ path, pathType }: Pick<IngressPath, "path" | "pathType">): string | undefined {
  if (pathType === "ImplementationSpecific") {
    return path === "" || path.startsWith("/") ? undefined : "must begin with a slash";
  }
  if (!path.startsWith("/")) return `must begin with a slash, because the pathType is ${pathType}`;
  const sequence = ["//", "/./", "/../", "%2f", "%2F"].find((text) => path.includes(text));
  const ending = ["/..", "/."].find((text) => path.endsWith(text));
  if (sequence !== undefined) return `must not contain ${sequence}, because the pathType is ${pathType}`;
  return ending === undefined ? undefined : `must not end in ${ending}, because the pathType is ${pathType}`;
}

function reportPath(complaint: string, place: Place, context: DecodeContext): Invalid {
  const path = place.value.kind === "map" ? place.value.entries.get("path")?.value : undefined;
  return path === undefined
    ? reportValue(place, context, `needs a path, which ${complaint}`)
    : reportValue({ value: path, parent: place, key: "path" }, context, complaint);
}

/** A name in lower case, which may begin with a whole label of `*`; Kubernetes takes no address here. */
function complainHost(text: string): string | undefined {
  if (isIpAddress(text)) return `must be a name, but is the address ${text}`;
  const complaint = complainWildcardHost(text);
  if (complaint !== undefined) return complaint;
  if (text !== text.toLowerCase()) return "must be in lower case";
  return text === "*" || (text.startsWith("*") && !text.startsWith("*."))
    ? `must have its wildcard as *. before a name, but is "${text}"`
    : undefined;
}

const decodeRule: Decoder<IngressRule> = transform(
  object({
    fields: {
      host: optional(refine(string, (text) => (text === "" ? undefined : complainHost(text)))),
      http: optional(object({ fields: { paths: required(nonEmpty(lenientList(decodePath))) } })),
    },
  }),
  ({ host: name, http }, place, context) => ({
    host: name === "" ? undefined : name,
    paths: http?.paths,
    at: positionOf(place, context),
  }),
);

const decodeTls: Decoder<IngressTls> = transform(
  object({ fields: { hosts: withDefault(list(refine(string, complainHost)), []), secretName: optional(string) } }),
  (tls, place, context) => ({ ...tls, at: positionOf(place, context) }),
);

const ingressFields = object({
  fields: {
    ingressClassName: optional(string),
    defaultBackend: passedOver(optional(decodeBackend), "Istio serves no default backend; a rule without a host does"),
    tls: withDefault(list(decodeTls), []),
    rules: withDefault(lenientList(decodeRule), []),
  },
});

/** The spec of a `networking.k8s.io/v1` Ingress. */
export function decodeIngress(metadata: ObjectMeta): Decoder<IngressSpec> {
  return transform(ingressFields, ({ ingressClassName, ...spec }, place, context): IngressSpec | Invalid => {
    if (spec.defaultBackend === undefined && !hasRules(place)) {
      return reportValue(place, context, "needs rules or a defaultBackend");
    }
    const classAnnotation = metadata.annotations["kubernetes.io/ingress.class"];
    if (classAnnotation !== undefined && ingressClassName !== undefined) {
      return reportConflict(
        fieldPlace(place, "ingressClassName") ?? place,
        context,
        "is set beside the annotation kubernetes.io/ingress.class, and Kubernetes takes only one of them",
      );
    }
    return { ...spec, className: ingressClassName, classAnnotation };
  });
}

/** Also where none of them can be used, which is reported already. */
function hasRules({ value }: Place): boolean {
  const rules = value.kind === "map" ? value.entries.get("rules")?.value : undefined;
  return rules?.kind === "list" && rules.items.length > 0;
}

/** The spec of a `networking.k8s.io/v1` IngressClass. */
export function decodeIngressClass(metadata: ObjectMeta): Decoder<IngressClassSpec> {
  return transform(object({ fields: { controller: optional(string) }, others: "ignore" }), ({ controller }) => ({
    controller: controller ?? "",
    isDefault: metadata.annotations["ingressclass.kubernetes.io/is-default-class"] === "true",
  }));
}
