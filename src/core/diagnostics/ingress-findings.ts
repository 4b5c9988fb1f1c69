import type { CatalogueEntry } from "./catalogue-entry.ts";

/** KIR1300 to KIR1319: what an Ingress says that Istio does not do, or that leads nowhere; routes of other APIs. */
export const ingressFindings = {
  KIR1300: {
    level: "warning",
    title: "IngressClass not found",
    meaning:
      "The Ingress names a class that no IngressClass of the manifests defines. Without one Istio serves no Ingress, unless ingressControllerMode is DEFAULT, and then any.",
  },
  KIR1301: {
    level: "info",
    title: "Ingress of another controller",
    meaning: "The class of the Ingress is not Istio's, so it is left to whoever it belongs to.",
  },
  KIR1302: {
    level: "warning",
    title: "Ingress not served",
    meaning: "The mesh is set up so that Istio does not serve this Ingress, and no other controller is named for it.",
  },
  KIR1303: {
    level: "error",
    blocksServing: false,
    title: "Service of an Ingress not found",
    meaning:
      "The backend names a Service that is not there, or that the gateway does not see. Requests get 503, or go on to the next path where the port was named.",
  },
  KIR1304: {
    level: "error",
    blocksServing: false,
    title: "port of an Ingress not found",
    meaning:
      "The Service of the backend has no such port. Requests get 503, or go on to the next path where the port was named.",
  },
  KIR1305: {
    level: "warning",
    title: "resource backend left out",
    meaning: "Istio sends requests of an Ingress to Services only and leaves out a path that leads to something else.",
  },
  KIR1306: {
    level: "warning",
    title: "default backend not served",
    meaning: "Istio ignores defaultBackend: what no rule takes gets 404. A rule without a host does what was meant.",
  },
  KIR1307: {
    level: "warning",
    title: "Ingress rule without paths",
    meaning: "A rule without http says nothing about requests, and Istio leaves it out.",
  },
  KIR1308: {
    level: "warning",
    title: "Ingress TLS without a Secret",
    meaning: "Istio opens port 443 only for an entry of tls that names a Secret.",
  },
  KIR1309: {
    level: "warning",
    title: "Ingress TLS without routes",
    meaning:
      "Istio binds a host to the first Ingress that has a rule for it. The TLS of any other Ingress for that host ends the handshake and then answers 404.",
  },
  KIR1310: {
    level: "warning",
    title: "Ingress path never reached",
    meaning: "Another path of the same host, in this Ingress or another, is the same and stands first.",
  },
  KIR1311: {
    level: "error",
    blocksServing: false,
    title: "Ingress path that proxies refuse",
    meaning:
      "Envoy takes no such prefix. Istio would send it all the same, and then the whole gateway keeps its old configuration; here the path is left out.",
  },
  KIR1312: {
    level: "warning",
    title: "Ingress path taken literally",
    meaning:
      "With pathType ImplementationSpecific Istio knows prefixes that end in .* or /*; any other path has to be met exactly, also a regular expression.",
  },
  KIR1313: {
    level: "warning",
    title: "host shared with the Gateway API",
    meaning:
      "An HTTPRoute or a GRPCRoute of the Kubernetes Gateway API is for a host that VirtualServices or Ingresses route too. kirikae does not read what it does, so that requests for the host may go elsewhere than routes and explain say.",
  },
  KIR1314: {
    level: "info",
    title: "Gateway API not read",
    meaning:
      "kirikae does not read HTTPRoutes and GRPCRoutes of the Kubernetes Gateway API. Requests for their hosts may have routes where routes and explain know none.",
  },
} as const satisfies Record<string, CatalogueEntry>;
