import { admissionFindings } from "./admission-findings.ts";
import type { CatalogueEntry } from "./catalogue-entry.ts";
import { ingressFindings } from "./ingress-findings.ts";
import { meshFindings } from "./mesh-findings.ts";
import { routeFindings } from "./route-findings.ts";

/**
 * Every diagnostic that kirikae can give about input. `KIR1xxx` input, `KIR2xxx` release, `KIR3xxx` xDS and Envoy,
 * `KIR4xxx` Kubernetes, `KIR5xxx` environment. `docs/diagnostics.md` is generated from this table.
 */
const entries = {
  KIR1001: {
    level: "error",
    title: "YAML cannot be read",
    meaning:
      "The text is not valid YAML, so nothing in this document was understood. Nothing of it is served. Correct the place that the finding points to; what comes after it may change its sense too.",
  },
  KIR1002: {
    level: "error",
    title: "input too large",
    meaning: "A file, a document or its aliases exceed the limits that keep reading bounded. Split the file.",
  },
  KIR1003: {
    level: "error",
    title: "not a Kubernetes object",
    meaning:
      "A document needs apiVersion, kind and metadata.name, each a string. Nothing of it is served. Add what is missing, or keep files that are no manifests elsewhere.",
  },
  KIR1004: {
    level: "error",
    title: "unknown field",
    meaning:
      "The kind has no such field. istiod ignores it without a word; kirikae does not guess what was meant. Correct the name or take the field out.",
    istioCode: "IST0106",
  },
  KIR1005: {
    level: "error",
    title: "wrong type or value",
    meaning:
      "A field has a value that its schema does not allow. Istio's API server would refuse the object. Write what the finding asks for.",
    istioCode: "IST0106",
  },
  KIR1006: {
    level: "error",
    title: "field not supported yet",
    meaning:
      "The field is Istio's and valid, but kirikae does not carry it out yet, and ignoring it would misread the manifest. Take the field out for a trial here; in a cluster it counts.",
  },
  KIR1007: {
    level: "warning",
    title: "part not served locally",
    meaning:
      "This part of the manifest is valid but has no effect in the local mesh; nothing listens for it or reads it. Nothing is to be done for a trial here; in a cluster it counts.",
  },
  KIR1008: {
    level: "error",
    title: "duplicate object",
    meaning:
      "Two documents declare the same kind, namespace and name. Only one can be meant. Remove one of them, or give it another name or namespace.",
  },
  KIR1009: {
    level: "info",
    title: "kind not read",
    meaning: "kirikae does not route by this kind; the document is left alone. Nothing is to be done.",
  },
  KIR1010: {
    level: "error",
    title: "missing field",
    meaning: "A required field is absent. The API server would refuse the object. Add it.",
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
    meaning:
      "The manifest is accepted, but this part is deprecated or hardly does what was meant. Write what the hint says.",
    istioCode: "IST0133",
  },
  KIR1014: {
    level: "error",
    title: "fields that exclude each other",
    meaning: "Each field is valid alone, but Istio rejects the manifest because of the combination. Keep one of them.",
    istioCode: "IST0106",
  },
  KIR1015: {
    level: "error",
    title: "API version not known",
    meaning:
      "The kind is read, but not in this version of its API group. It is left out. Write one of the versions that the hint lists.",
  },
  KIR1020: {
    level: "error",
    blocksServing: false,
    title: "gateway not found",
    meaning:
      "A VirtualService names a Gateway that does not exist, so its rules reach no listener. Correct the name or its namespace, or add the Gateway.",
    istioCode: "IST0101",
  },
  KIR1021: {
    level: "error",
    blocksServing: false,
    title: "destination host not found",
    meaning:
      "A rule sends requests to a host that no Service and no ServiceEntry declares; they would fail with 503. Correct the name, or add the Service or a ServiceEntry.",
    istioCode: "IST0101",
  },
  KIR1022: {
    level: "error",
    blocksServing: false,
    title: "subset not found",
    meaning:
      "The DestinationRule that counts for the gateway declares no such subset, so requests to it would fail with 503. Declare the subset there, or correct its name.",
    istioCode: "IST0101",
  },
  KIR1023: {
    level: "error",
    blocksServing: false,
    title: "destination port not found",
    meaning:
      "The service has no such port, so requests to it would fail with 503. Name a port of the Service, not its targetPort.",
    istioCode: "IST0101",
  },
  KIR1024: {
    level: "error",
    blocksServing: false,
    title: "destination port required",
    meaning:
      "The service has several ports and the rule names none; Istio then takes the gateway's own port number, which is rarely meant. Name the port.",
    istioCode: "IST0112",
  },
  KIR1026: {
    level: "warning",
    title: "unreachable rule",
    meaning:
      "Earlier rules of the same VirtualService have the same matches, or none, so this rule is never tried. Move it up, narrow what stands before it, or remove it.",
    istioCode: "IST0130",
  },
  KIR1027: {
    level: "info",
    title: "ineffective match",
    meaning:
      "An earlier match of the same VirtualService is the same, or has a shorter prefix, so this one takes nothing. Move it up or remove it.",
    istioCode: "IST0131",
  },
  KIR1028: {
    level: "warning",
    title: "host not in gateway",
    meaning:
      "No host of the VirtualService overlaps with one that the Gateway admits, so the Gateway routes none of its rules. Add the host to the Gateway, or bind to another.",
    istioCode: "IST0132",
  },
  KIR1029: {
    level: "error",
    blocksServing: false,
    title: "conflicting gateways",
    meaning:
      "Gateways of the same workload claim the same port and host. For plain HTTP their rules become one list; with TLS, and with different protocols, the younger server is dropped. Keep one Gateway for a host and port.",
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
    meaning:
      "No Service and no ServiceEntry declares the host, so the DestinationRule has no effect. Correct the host, in full where it is in another namespace.",
    istioCode: "IST0174",
  },
  KIR1032: {
    level: "error",
    blocksServing: false,
    title: "two VirtualServices for one mesh host",
    meaning:
      "Callers inside the mesh get the rules of one of them only; Istio does not merge them there. Put the rules into one VirtualService.",
    istioCode: "IST0109",
  },
  KIR1033: {
    level: "info",
    title: "port name says no protocol",
    meaning:
      "Istio guesses the protocol of a port from its name, as in http-web, or from appProtocol. A wrong guess treats requests as bytes. Name the port by its protocol.",
    istioCode: "IST0118",
  },
  KIR1034: {
    level: "warning",
    title: "conflicting protocols",
    meaning:
      "Two ServiceEntries declare the same host and port with different protocols; one of them loses. Give both the same protocol.",
    istioCode: "IST0177",
  },
  KIR1035: {
    level: "info",
    title: "no local endpoints",
    meaning:
      "No LocalWorkload carries the labels that are asked for, so nothing on this machine answers; requests would fail with 503. Add a LocalWorkload for a trial here.",
  },
  KIR1036: {
    level: "info",
    title: "prefix without a path boundary",
    meaning:
      "Istio's uri prefix is a plain string: /foo also takes /foobar. Match exact /foo and prefix /foo/ where that is not meant.",
  },
  KIR1037: {
    level: "warning",
    title: "rule shadowed by another VirtualService",
    meaning:
      "On a gateway the rules of all VirtualServices for a host form one list, oldest object first; an earlier one takes every request that this rule would take. Put both rules into one VirtualService, in the order that is meant.",
  },
  KIR1038: {
    level: "warning",
    title: "host declared twice",
    meaning:
      "Two objects declare the same host. A Service wins over a ServiceEntry, else the older object wins. Remove one of them.",
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
      "A file or folder below the one that was named could not be read: a link that leads nowhere, or missing permission. The others were read; what it would have said is missing. Correct the link or the permission.",
  },
  ...routeFindings,
  ...ingressFindings,
  ...admissionFindings,
  ...meshFindings,
} as const satisfies Record<string, CatalogueEntry>;

export type DiagnosticCode = keyof typeof entries;

export const catalogue: Readonly<Record<DiagnosticCode, CatalogueEntry>> = entries;
