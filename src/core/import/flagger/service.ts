import type { InputField } from "../field-ledger.ts";
import type { ReleaseRoute } from "../../manifest/release.ts";
import { findDelegators } from "../find-delegators.ts";
import type { Importing, MadeObject } from "../import-result.ts";
import { plainValue } from "../plain-value.ts";

/** What Flagger makes of `service`, and what a Release moves of it. */
export interface ImportedService {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly routes: readonly ReleaseRoute[];
  readonly made: readonly MadeObject[];
}

const aboutServices = "it is about Services that Flagger makes and their labels";
/** Which stand in a rule of a VirtualService as they stand here. */
const ruleFields = ["match", "rewrite", "timeout", "retries", "headers", "corsPolicy"] as const;

/** Reads `service`: the VirtualService, the DestinationRules and the Services that Flagger would make. */
export function readService(spec: InputField, importing: Importing): ImportedService {
  const { namespace } = importing.object;
  const target = spec.at("targetRef", "name").text() ?? importing.object.name;
  spec.get("targetRef").leaveOutFields(["apiVersion", "kind"], "kirikae makes and changes no pods");
  const service = spec.get("service");
  const name = service.get("name").text() ?? target;
  const from = `${name}-primary`;
  const to = `${name}-canary`;
  spec
    ?.get("targetRef")
    .note(
      `Flagger copies ${target} to ${target}-primary when it is good and gives the traffic back to it; a Release leaves the traffic at ${to}, and the next one goes the other way. Keep pods behind both.`,
    );
  service.leaveOutFields(["portDiscovery", "headless", "trafficDistribution", "unmanagedMetadata"], aboutServices);
  service.leaveOutFields(["apex", "primary", "canary"], aboutServices);
  for (const field of ["gatewayRefs", "backends", "meshName", "backendTimeout", "mirror"]) {
    service.get(field).note("It is for another provider than Istio.");
  }
  const virtualService = makeRouting(service, { name, namespace, from, to });
  const rules = makeDestinationRules(service.get("trafficPolicy"), { namespace, hosts: [from, to] });
  const services = makeServices(service, { name, target, importing });
  const own = { namespace, virtualService: name, route: undefined };
  const isDelegate = service.get("delegation").boolean() === true;
  const delegators = isDelegate ? findDelegators(importing.catalog, { namespace, name }) : [];
  return {
    name,
    from,
    to,
    routes: delegators.length > 0 ? delegators : [own],
    made: [virtualService, ...rules, ...services],
  };
}

function makeRouting(
  service: InputField,
  sides: { readonly name: string; readonly namespace: string; readonly from: string; readonly to: string },
): MadeObject {
  const { name, namespace, from, to } = sides;
  const isDelegate = service.get("delegation").boolean() === true;
  const hosts = textsOf(service.get("hosts"));
  const gateways = textsOf(service.get("gateways"));
  if (isDelegate) {
    service
      ?.get("delegation")
      .note(
        "The VirtualService has no hosts: the Release names those that delegate to it, and those have to be among the files.",
      );
  }
  const isTcp = service.get("appProtocol").text() === "tcp";
  if (isTcp) service.get("appProtocol").note("kirikae moves rules of `http` alone, so `plan` refuses this Release.");
  const route = [
    { destination: { host: from }, weight: 100 },
    { destination: { host: to }, weight: 0 },
  ];
  const rule = readRule(service, isTcp);
  const names = hosts.includes(name) || hosts.includes("*") ? hosts : [...hosts, name];
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name, namespace },
    spec: {
      ...(isDelegate ? {} : { hosts: names }),
      ...(isDelegate || gateways.length === 0 ? {} : { gateways }),
      ...(isTcp ? { tcp: [{ route }] } : { http: [{ ...rule, route }] }),
    },
  };
}

/** What stands beside the destinations of a rule; nothing for connections. */
function readRule(service: InputField, isTcp: boolean): Readonly<Record<string, unknown>> {
  const given = ruleFields.map((name) => [name, service.get(name)] as const).filter(([, field]) => field.exists);
  if (isTcp) {
    for (const [, field] of given) field.note("A rule for connections has no such thing.");
    return {};
  }
  return Object.fromEntries(
    given.map(([name, field]) => [name, name === "rewrite" ? takeRewrite(field) : takeWhole(field)]),
  );
}

/** `type` is of the Gateway API. */
function takeRewrite(field: InputField): unknown {
  field.get("type").note("It is for another provider than Istio.");
  for (const name of ["uri", "authority", "uriRegexRewrite"]) field.get(name).translate();
  const fields = Object.entries(plainValue(field.value) ?? {}).filter(([name]) => name !== "type");
  return Object.fromEntries(fields);
}

function takeWhole(field: InputField): unknown {
  field.translate();
  return plainValue(field.value);
}

function textsOf(field: InputField): readonly string[] {
  return field.items().flatMap((item) => item.text() ?? []);
}

function makeDestinationRules(
  policy: InputField,
  { namespace, hosts }: { readonly namespace: string; readonly hosts: readonly string[] },
): readonly MadeObject[] {
  if (!policy.exists) return [];
  const trafficPolicy = takeWhole(policy);
  return hosts.map((host) => ({
    apiVersion: "networking.istio.io/v1",
    kind: "DestinationRule",
    metadata: { name: host, namespace },
    spec: { host, trafficPolicy },
  }));
}

/** Those that are not in the given files: the host that callers know, and one for each side. */
function makeServices(
  service: InputField,
  options: { readonly name: string; readonly target: string; readonly importing: Importing },
): readonly MadeObject[] {
  const { name, target, importing } = options;
  const { namespace } = importing.object;
  const port = service.get("port").number() ?? 80;
  const targetPort = service.get("targetPort");
  const appProtocol = service.get("appProtocol").text();
  const portName = service.get("portName").text() ?? (appProtocol === "tcp" ? "tcp" : "http");
  const ports = [
    {
      name: portName,
      port,
      ...(!targetPort.exists ? {} : { targetPort: takeWhole(targetPort) }),
      ...(appProtocol === undefined ? {} : { appProtocol }),
    },
  ];
  const label = selectorLabel(target, importing);
  const sides = { [name]: `${target}-primary`, [`${name}-primary`]: `${target}-primary`, [`${name}-canary`]: target };
  const missing = Object.entries(sides).filter(
    ([host]) => importing.catalog.find("Service", { namespace, name: host }) === undefined,
  );
  if (missing.length > 0) {
    service.note(
      `The Services ${missing.map(([host]) => host).join(", ")} are written as Flagger makes them, selecting by the label ${label}.`,
    );
  }
  return missing.map(([host, pods]) => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: host, namespace },
    spec: { selector: { [label]: pods }, ports },
  }));
}

/** The first of Flagger's own list that the target's pods are selected by. */
function selectorLabel(target: string, { catalog, object }: Importing): string {
  for (const kind of ["Deployment", "DaemonSet"]) {
    const found = catalog.find(kind, { namespace: object.namespace, name: target });
    const labels = found?.root.at("spec", "selector", "matchLabels");
    const label = ["app", "name", "app.kubernetes.io/name"].find((name) => labels?.get(name).exists === true);
    if (label !== undefined) return label;
  }
  return "app";
}
