import { admissionFindings } from "./admission-findings.ts";
import type { CatalogueEntry } from "./catalogue-entry.ts";
import { ingressFindings } from "./ingress-findings.ts";
import { routeFindings } from "./route-findings.ts";

/**
 * Every diagnostic that kirikae can give about input. `KIR1xxx` input, `KIR2xxx` release, `KIR3xxx` xDS and Envoy,
 * `KIR4xxx` Kubernetes, `KIR5xxx` environment. `docs/diagnostics.md` is generated from this table.
 */
const entries = {
  KIR1001: {
    level: "error",
    title: "YAML cannot be read",
    meaning: "The text is not valid YAML, so nothing in this document was understood.",
  },
  KIR1002: {
    level: "error",
    title: "input too large",
    meaning: "A file, a document or its aliases exceed the limits that keep reading bounded. Split the file.",
  },
  KIR1003: {
    level: "error",
    title: "not a Kubernetes object",
    meaning: "A document needs apiVersion, kind and metadata.name, each a string.",
  },
  KIR1004: {
    level: "error",
    title: "unknown field",
    meaning: "The kind has no such field. istiod ignores it without a word; kirikae does not guess what was meant.",
    istioCode: "IST0106",
  },
  KIR1005: {
    level: "error",
    title: "wrong type or value",
    meaning: "A field has a value that its schema does not allow.",
    istioCode: "IST0106",
  },
  KIR1006: {
    level: "error",
    title: "field not supported yet",
    meaning:
      "The field is Istio's and valid, but kirikae does not carry it out yet, and ignoring it would misread the manifest.",
  },
  KIR1007: {
    level: "warning",
    title: "part not served locally",
    meaning:
      "This part of the manifest is valid but has no effect in the local mesh; nothing listens for it or reads it.",
  },
  KIR1008: {
    level: "error",
    title: "duplicate object",
    meaning: "Two documents declare the same kind, namespace and name.",
  },
  KIR1009: {
    level: "info",
    title: "kind not read",
    meaning: "kirikae does not route by this kind; the document is left alone.",
  },
  KIR1010: {
    level: "error",
    title: "missing field",
    meaning: "A required field is absent.",
    istioCode: "IST0106",
  },
  // KIR1011 to KIR1099: manifests and what ties them together.
  KIR1011: {
    level: "info",
    blocksServing: false,
    title: "more findings",
    meaning:
      "A file has more findings than are shown; this one has the level of those that it counts. Correct the first ones and check again.",
  },
  KIR1012: {
    level: "warning",
    title: "key read as a boolean",
    meaning:
      "YAML 1.1, which Kubernetes reads, makes a boolean of an unquoted y, n, yes, no, on or off, so this key becomes true or false. Quote it.",
  },
  KIR1013: {
    level: "warning",
    title: "discouraged value",
    meaning: "The manifest is accepted, but this part is deprecated or hardly does what was meant.",
    istioCode: "IST0133",
  },
  KIR1014: {
    level: "error",
    title: "fields that exclude each other",
    meaning: "Each field is valid alone, but Istio rejects the manifest because of the combination.",
    istioCode: "IST0106",
  },
  KIR1015: {
    level: "error",
    title: "API version not known",
    meaning: "The kind is read, but not in this version of its API group.",
  },
  KIR1020: {
    level: "error",
    blocksServing: false,
    title: "gateway not found",
    meaning: "A VirtualService names a Gateway that does not exist, so its rules reach no listener.",
    istioCode: "IST0101",
  },
  KIR1021: {
    level: "error",
    blocksServing: false,
    title: "destination host not found",
    meaning: "A rule sends requests to a host that no Service and no ServiceEntry declares; they would fail with 503.",
    istioCode: "IST0101",
  },
  KIR1022: {
    level: "error",
    blocksServing: false,
    title: "subset not found",
    meaning:
      "The DestinationRule that counts for the gateway declares no such subset, so requests to it would fail with 503.",
    istioCode: "IST0101",
  },
  KIR1023: {
    level: "error",
    blocksServing: false,
    title: "destination port not found",
    meaning: "The service has no such port, so requests to it would fail with 503.",
    istioCode: "IST0101",
  },
  KIR1024: {
    level: "error",
    blocksServing: false,
    title: "destination port required",
    meaning:
      "The service has several ports and the rule names none; Istio then takes the gateway's own port number, which is rarely meant.",
    istioCode: "IST0112",
  },
  KIR1026: {
    level: "warning",
    title: "unreachable rule",
    meaning: "Earlier rules of the same VirtualService have the same matches, or none, so this rule is never tried.",
    istioCode: "IST0130",
  },
  KIR1027: {
    level: "info",
    title: "ineffective match",
    meaning:
      "An earlier match of the same VirtualService is the same, or has a shorter prefix, so this one takes nothing.",
    istioCode: "IST0131",
  },
  KIR1028: {
    level: "warning",
    title: "host not in gateway",
    meaning:
      "No host of the VirtualService overlaps with one that the Gateway admits, so the Gateway routes none of its rules.",
    istioCode: "IST0132",
  },
  KIR1029: {
    level: "error",
    blocksServing: false,
    title: "conflicting gateways",
    meaning:
      "Gateways of the same workload claim the same port and host. For plain HTTP their rules become one list; with TLS, and with different protocols, the younger server is dropped.",
    istioCode: "IST0145",
  },
  KIR1030: {
    level: "error",
    blocksServing: false,
    title: "subset without endpoints",
    meaning:
      "The labels of the subset select no pod of the service, so requests to it would fail with 503. For a version that comes later, silence it with the reason.",
    istioCode: "IST0173",
  },
  KIR1031: {
    level: "warning",
    title: "DestinationRule for an unknown host",
    meaning: "No Service and no ServiceEntry declares the host, so the DestinationRule has no effect.",
    istioCode: "IST0174",
  },
  KIR1032: {
    level: "error",
    blocksServing: false,
    title: "two VirtualServices for one mesh host",
    meaning: "Callers inside the mesh get the rules of one of them only; Istio does not merge them there.",
    istioCode: "IST0109",
  },
  KIR1033: {
    level: "info",
    title: "port name says no protocol",
    meaning: "Istio guesses the protocol of a port from its name, as in http-web, or from appProtocol.",
    istioCode: "IST0118",
  },
  KIR1034: {
    level: "warning",
    title: "conflicting protocols",
    meaning: "Two ServiceEntries declare the same host and port with different protocols; one of them loses.",
    istioCode: "IST0177",
  },
  KIR1035: {
    level: "info",
    title: "no local endpoints",
    meaning:
      "No LocalWorkload carries the labels that are asked for, so nothing on this machine answers; requests would fail with 503.",
  },
  KIR1036: {
    level: "info",
    title: "prefix without a path boundary",
    meaning: "Istio's uri prefix is a plain string: /foo also takes /foobar.",
  },
  KIR1037: {
    level: "warning",
    title: "rule shadowed by another VirtualService",
    meaning:
      "On a gateway the rules of all VirtualServices for a host form one list, oldest object first; an earlier one takes every request that this rule would take.",
  },
  KIR1038: {
    level: "warning",
    title: "host declared twice",
    meaning: "Two objects declare the same host. A Service wins over a ServiceEntry, else the older object wins.",
  },
  // KIR1080 to KIR1089: what `check` reads beside the manifests' own meaning.
  KIR1080: {
    level: "warning",
    title: "suppression not understood",
    meaning:
      "An entry of the annotation kirikae.dev/ignore needs a code and a reason, as in `KIR1030: green comes on Friday`. This one silences nothing.",
  },
  KIR1081: {
    level: "warning",
    title: "suppression of an unknown code",
    meaning: "No finding carries the code that the annotation kirikae.dev/ignore names, so the entry silences nothing.",
  },
  KIR1082: {
    level: "warning",
    title: "suppression without a finding",
    meaning:
      "The annotation kirikae.dev/ignore silences a finding that the object does not have, or no longer. Take the entry away, so that it does not hide the next one.",
  },
  KIR1083: {
    level: "warning",
    title: "finding cannot be silenced",
    meaning:
      "The finding means that a manifest is not understood, or would be misread. The annotation kirikae.dev/ignore does not change that; the finding stays.",
  },
  KIR1084: {
    level: "error",
    title: "file not readable",
    meaning:
      "A file or folder below the one that was named could not be read: a link that leads nowhere, or missing permission. The others were read; what it would have said is missing.",
  },
  ...routeFindings,
  ...ingressFindings,
  ...admissionFindings,
  // KIR1200 to KIR1299: what objects say about each other.
  KIR1200: {
    level: "error",
    blocksServing: false,
    title: "gateway selector selects nothing",
    meaning: "No pod has the labels that the Gateway selects, so in a cluster no proxy would listen for it.",
    istioCode: "IST0101",
  },
  KIR1201: {
    level: "warning",
    title: "gateway port not on its Service",
    meaning: "No Service leads to the port on the pods of the gateway, so clients cannot reach it from outside.",
    istioCode: "IST0162",
  },
  KIR1202: {
    level: "error",
    blocksServing: false,
    title: "TLS secret not found",
    meaning:
      "The Secret that credentialName means is not in the namespace of the gateway's pods, so every TLS handshake with the server fails.",
    istioCode: "IST0101",
  },
  KIR1203: {
    level: "error",
    blocksServing: false,
    title: "TLS secret not usable",
    meaning:
      "The Secret has no certificate and key, or its certificate cannot be read or is out of date, so clients refuse the connection.",
    istioCode: "IST0161",
  },
  KIR1204: {
    level: "warning",
    title: "certificate shared by gateways",
    meaning:
      "Browsers reuse an HTTP/2 connection for every host that its certificate covers. A request for the other Gateway's host then arrives where nobody knows it: 404.",
    istioCode: "IST0138",
  },
  KIR1205: {
    level: "warning",
    title: "certificate covers a host of another server",
    meaning: "A browser may send requests for that host over a connection to this server, which does not know it: 404.",
  },
  KIR1206: {
    level: "error",
    blocksServing: false,
    title: "Sidecars select the same pods",
    meaning: "More than one Sidecar selects a pod, and only one of them counts for it.",
    istioCode: "IST0110",
  },
  KIR1207: {
    level: "error",
    blocksServing: false,
    title: "several Sidecars without a selector",
    meaning: "A namespace has one default Sidecar; of several the oldest counts.",
    istioCode: "IST0111",
  },
  KIR1208: {
    level: "error",
    blocksServing: false,
    title: "Sidecar selector selects nothing",
    meaning: "No pod of the namespace has the labels that the Sidecar selects, so it has no effect.",
    istioCode: "IST0101",
  },
  KIR1209: {
    level: "warning",
    title: "one port with two protocols",
    meaning:
      "Services of one Deployment use the same port with different protocols, and its sidecar can listen in one way only.",
    istioCode: "IST0116",
  },
  KIR1210: {
    level: "warning",
    title: "one target port behind two ports",
    meaning:
      "Services of one Deployment lead to the same target port from different ports, so what the sidecar knows of the port is ambiguous.",
    istioCode: "IST0137",
  },
  KIR1211: {
    level: "warning",
    title: "port of an ExternalName Service not usable",
    meaning: "A port that is plain TCP, or that says no protocol, takes all traffic of that port number in the mesh.",
    istioCode: "IST0150",
  },
  KIR1212: {
    level: "warning",
    title: "policy selects nothing",
    meaning: "No workload has the labels that the policy selects, so it protects nothing.",
    istioCode: "IST0127",
  },
  KIR1213: {
    level: "error",
    blocksServing: false,
    title: "policy names an unknown namespace",
    meaning: "No such namespace is declared, so that part of the policy matches no caller.",
    istioCode: "IST0101",
  },
  KIR1214: {
    level: "warning",
    title: "server certificate not verified",
    meaning: "TLS without caCertificates, so whoever answers is believed.",
    istioCode: "IST0128",
  },
  KIR1215: {
    level: "warning",
    title: "server certificate not verified on a port",
    meaning: "TLS without caCertificates on one port, so whoever answers there is believed.",
    istioCode: "IST0129",
  },
  KIR1216: {
    level: "warning",
    title: "ServiceEntry needs addresses",
    meaning: "TCP carries no host name; without addresses every connection to the port is taken to be for this host.",
    istioCode: "IST0134",
  },
  KIR1217: {
    level: "warning",
    title: "rules not applied at the gateway",
    meaning:
      "Subset rules of a mesh VirtualService count for callers inside the mesh; a request from the gateway goes past them to every version.",
    istioCode: "IST0140",
  },
  KIR1218: {
    level: "error",
    blocksServing: false,
    title: "claim routing without authentication",
    meaning:
      "Rules that match JWT claims need a RequestAuthentication for the gateway's pods; without one no claim is ever there.",
    istioCode: "IST0149",
  },
  KIR1219: {
    level: "warning",
    title: "generated gateway named",
    meaning: "The name is one that Istio makes for a Kubernetes Gateway and may change; bind to the Gateway itself.",
    istioCode: "IST0165",
  },
  KIR1220: {
    level: "warning",
    title: "deprecated field",
    meaning: "The field is replaced by another, or has no effect any more.",
    istioCode: "IST0002",
  },
  KIR1221: {
    level: "warning",
    title: "rule covered by earlier rules",
    meaning:
      "Earlier rules of the same VirtualService take every request that this rule would take, with broader matches.",
  },
  KIR1222: {
    level: "info",
    title: "match covered by an earlier one",
    meaning:
      "An earlier match of the same VirtualService is broader, so this one takes nothing. istioctl does not look at exact paths and regular expressions.",
  },
  KIR1223: {
    level: "warning",
    title: "host in none of the gateways",
    meaning: "The VirtualService names Gateways, and none of them admits this host, so no request for it is routed.",
  },
  KIR1224: {
    level: "warning",
    title: "subset known to some callers only",
    meaning:
      "A DestinationRule counts for callers in its own namespace, in that of the service, and everywhere when it is in istio-system. Other callers get 503.",
  },
  KIR1225: {
    level: "error",
    blocksServing: false,
    title: "delegate not found",
    meaning:
      "The rule hands its requests to a VirtualService that does not exist or is not exported to it. Istio drops the rule without a word.",
  },
  KIR1226: {
    level: "warning",
    title: "route lost in delegation",
    meaning:
      "No match of the delegate agrees with a match of the rule that delegates, so Istio drops the route without a word.",
  },
  KIR1227: {
    level: "warning",
    title: "wildcard host is no fallback",
    meaning:
      "A proxy picks the most specific host and stays there. What that VirtualService does not match is 404, and never comes to the wildcard.",
  },
  KIR1228: {
    level: "warning",
    title: "weight ignored",
    meaning: "A single destination gets every request, whatever its weight says, even 0.",
  },
  KIR1229: {
    level: "warning",
    title: "capital letters in a host",
    meaning:
      "Host names are compared in lower case. Istio compares some of them as they are written, so capital letters make a destination unknown.",
  },
  KIR1230: {
    level: "info",
    title: "DestinationRule for its own namespace only",
    meaning: "The service lives elsewhere, so only callers in the namespace of the DestinationRule are under it.",
  },
  KIR1231: {
    level: "warning",
    title: "DestinationRule partly ignored",
    meaning:
      "Of several DestinationRules for one host the oldest trafficPolicy counts whole, and so does the oldest subset of a name.",
  },
  KIR1232: {
    level: "error",
    blocksServing: false,
    title: "destination hidden from its callers",
    meaning:
      "The service is declared, but exportTo does not name the namespace of the callers; their requests would fail with 503.",
    istioCode: "IST0101",
  },
  KIR1233: {
    level: "warning",
    title: "delegate that nobody names",
    meaning: "A VirtualService without hosts counts only where another one delegates to it.",
  },
} as const satisfies Record<string, CatalogueEntry>;

export type DiagnosticCode = keyof typeof entries;

export const catalogue: Readonly<Record<DiagnosticCode, CatalogueEntry>> = entries;
