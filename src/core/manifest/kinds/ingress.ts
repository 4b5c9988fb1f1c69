import { lenientList, list, nonEmpty, refine, strings, transform } from "../decode/collections.ts";
import { type Decoder, positionOf, reportValue } from "../decode/decoder.ts";
import { object, optional, required, withDefault } from "../decode/object.ts";
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
import { complainWildcardHost } from "../names.ts";

const backendService = object({
  fields: {
    name: required(string),
    port: required(object({ fields: { name: optional(string), number: optional(portNumber) } })),
  },
});

const decodeBackend: Decoder<IngressBackend> = transform(
  object({
    fields: { service: optional(backendService) },
    unsupported: { resource: "a request can be sent to a Service only" },
  }),
  ({ service }, place, context) => {
    const port = service?.port.number ?? service?.port.name;
    if (service === undefined) {
      return reportValue(place, context, "needs a service");
    }
    return port === undefined
      ? reportValue(place, context, "needs service.port.number or service.port.name")
      : { service: service.name, port, at: positionOf(place, context) };
  },
);

const decodePath: Decoder<IngressPath> = transform(
  object({
    fields: {
      path: optional(
        refine(string, (text) => (text === "" || text.startsWith("/") ? undefined : "must begin with a slash")),
      ),
      pathType: required(oneOf(["Exact", "Prefix", "ImplementationSpecific"])),
      backend: required(decodeBackend),
    },
  }),
  ({ path = "", ...others }, place, context) => ({
    ...others,
    path: path === "" ? "/" : path,
    at: positionOf(place, context),
  }),
);

const host = refine(string, (text) => (text === "" ? undefined : complainWildcardHost(text)));

const decodeRule: Decoder<IngressRule> = transform(
  object({
    fields: {
      host: optional(host),
      http: optional(object({ fields: { paths: required(nonEmpty(lenientList(decodePath))) } })),
    },
  }),
  ({ host: name, http }, place, context) => ({
    host: name === "" ? undefined : name,
    paths: http?.paths ?? [],
    at: positionOf(place, context),
  }),
);

const decodeTls: Decoder<IngressTls> = transform(
  object({ fields: { hosts: withDefault(strings, []), secretName: optional(string) } }),
  (tls, place, context) => ({ ...tls, at: positionOf(place, context) }),
);

const ingressFields = object({
  fields: {
    ingressClassName: optional(string),
    defaultBackend: optional(decodeBackend),
    tls: withDefault(list(decodeTls), []),
    rules: withDefault(lenientList(decodeRule), []),
  },
});

/** The spec of a `networking.k8s.io/v1` Ingress. */
export function decodeIngress(metadata: ObjectMeta): Decoder<IngressSpec> {
  return transform(ingressFields, ({ ingressClassName, ...spec }, place, context) =>
    spec.defaultBackend === undefined && spec.rules.length === 0
      ? reportValue(place, context, "needs rules or a defaultBackend")
      : { ...spec, className: ingressClassName ?? metadata.annotations["kubernetes.io/ingress.class"] },
  );
}

/** The spec of a `networking.k8s.io/v1` IngressClass. */
export function decodeIngressClass(metadata: ObjectMeta): Decoder<IngressClassSpec> {
  return transform(object({ fields: { controller: optional(string) }, others: "ignore" }), ({ controller }) => ({
    controller: controller ?? "",
    isDefault: metadata.annotations["ingressclass.kubernetes.io/is-default-class"] === "true",
  }));
}
