import type { DiagnosticLevel } from "./diagnostic.ts";

/** What a code means, whoever raises it. A code is never reused; a retired one stays listed. */
export interface CatalogueEntry {
  readonly level: DiagnosticLevel;
  /** What the finding is called, in a few words. */
  readonly title: string;
  /** What it means for traffic, and what to do, in one or two sentences. */
  readonly meaning: string;
  readonly istioCode?: string;
  /** False for an error that makes some requests fail and leaves every other as it should be. */
  readonly blocksServing?: false;
}

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
    title: "more findings",
    meaning: "A file has more findings than are shown. Correct the first ones and check again.",
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
    meaning: "An earlier rule of the same VirtualService takes every request, so this rule is never tried.",
    istioCode: "IST0130",
  },
  KIR1027: {
    level: "info",
    title: "ineffective match",
    meaning: "An earlier condition of the same VirtualService takes every request that this one would take.",
    istioCode: "IST0131",
  },
  KIR1028: {
    level: "warning",
    title: "host not in gateway",
    meaning: "No host of the Gateway overlaps with this host of the VirtualService, so no request for it is routed.",
    istioCode: "IST0132",
  },
  KIR1029: {
    level: "warning",
    title: "conflicting gateways",
    meaning:
      "Two Gateways with the same selector claim the same port and host. For plain HTTP their rules are merged; istioctl calls it an error.",
    istioCode: "IST0145",
  },
  KIR1030: {
    level: "warning",
    title: "subset without endpoints",
    meaning:
      "The labels of the subset select no endpoint, so requests to it would fail with 503. That is expected of a version that is not deployed yet.",
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
  // KIR1100 to KIR1199: what the route table cannot carry.
  KIR1100: {
    level: "warning",
    title: "gateway server dropped",
    meaning:
      "An older server has the same port with another protocol, or the same hosts, and Istio keeps only the older one.",
  },
  KIR1101: {
    level: "error",
    title: "regular expression cannot be used",
    meaning: "The pattern is not valid RE2, the dialect that Envoy reads; the whole configuration would be refused.",
  },
  KIR1102: {
    level: "error",
    title: "weights add up to 0",
    meaning: "Several destinations share the requests of a rule, but none of them gets any; Istio refuses that.",
  },
  KIR1103: {
    level: "error",
    title: "redirect status not usable",
    meaning:
      "Envoy redirects with 301, 302, 303, 307 or 308; with any other status Istio sends a rule without an action.",
  },
  KIR1104: {
    level: "error",
    title: "destination named twice in one rule",
    meaning:
      "Weights are kept by destination, so one destination cannot have two shares with different header changes.",
  },
  KIR1106: {
    level: "warning",
    title: "VirtualService hidden from the gateway",
    meaning: "exportTo does not name the namespace of the gateway workload, so the gateway never sees these rules.",
  },
} as const satisfies Record<string, CatalogueEntry>;

export type DiagnosticCode = keyof typeof entries;

export const catalogue: Readonly<Record<DiagnosticCode, CatalogueEntry>> = entries;
