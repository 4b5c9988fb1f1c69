import type { Diagnostic } from "../../src/core/diagnostics/diagnostic.ts";
import { parseManifests } from "../../src/core/manifest/parse-manifests.ts";
import { buildMesh } from "../../src/core/mesh/build-mesh.ts";
import { buildRouteTable } from "../../src/core/routes/build-route-table.ts";
import type { HttpRouting, RouteTable } from "../../src/core/routes/route-table.ts";
import type { SimulatedRequest } from "../../src/core/routes/simulation.ts";

/** The route table of manifests in one text, with every finding on the way to it. Namespace `default` unless named. */
export function tableOf(yaml: string): { readonly table: RouteTable; readonly diagnostics: readonly Diagnostic[] } {
  const parsed = parseManifests([{ path: "mesh.yaml", text: yaml }], { defaultNamespace: "default" });
  const { mesh, diagnostics } = buildMesh(parsed.manifests);
  const built = buildRouteTable(mesh);
  return { table: built.table, diagnostics: [...parsed.diagnostics, ...diagnostics, ...built.diagnostics] };
}

/** The only listener of a table. */
export function onlyRouting(table: RouteTable): HttpRouting {
  const [routing, ...others] = table.httpRoutings;
  if (routing === undefined || others.length > 0) {
    throw new Error(`one routing expected, ${table.httpRoutings.length} found`);
  }
  return routing;
}

/** GET `host/path` at port 80; a host with a port is sent as it is. */
export function get(url: string, headers: Readonly<Record<string, string>> = {}): SimulatedRequest {
  const slash = url.indexOf("/");
  return {
    port: 80,
    scheme: "http",
    authority: url.slice(0, slash),
    method: "GET",
    target: url.slice(slash),
    headers: Object.entries(headers),
  };
}

/** A Gateway `default/gw` at port 80 for every host. */
export const openGateway = gateway("gw", { hosts: ["*"] });

export function gateway(
  name: string,
  options: {
    readonly hosts: readonly string[];
    readonly port?: number;
    readonly namespace?: string;
    readonly selector?: string;
    readonly httpsRedirect?: boolean;
    readonly created?: string;
  },
): string {
  return document("Gateway", `${options.namespace ?? "default"}/${name}`, {
    created: options.created,
    spec: [
      `selector: {${options.selector ?? "istio: ingressgateway"}}`,
      "servers:",
      `- port: {number: ${options.port ?? 80}, name: http-${options.port ?? 80}, protocol: HTTP}`,
      `  hosts: ${JSON.stringify(options.hosts)}`,
      ...(options.httpsRedirect === true ? ["  tls: {httpsRedirect: true}"] : []),
    ],
  });
}

/** A VirtualService `namespace/name`; `http` is YAML, one rule a line, each beginning with `- `. */
export function virtualService(
  name: string,
  options: {
    readonly hosts: readonly string[];
    readonly http: string;
    readonly gateways?: readonly string[];
    readonly namespace?: string;
    readonly exportTo?: readonly string[];
    readonly created?: string;
  },
): string {
  return document("VirtualService", `${options.namespace ?? "default"}/${name}`, {
    created: options.created,
    spec: [
      `hosts: ${JSON.stringify(options.hosts)}`,
      `gateways: ${JSON.stringify(options.gateways ?? ["gw"])}`,
      ...(options.exportTo === undefined ? [] : [`exportTo: ${JSON.stringify(options.exportTo)}`]),
      "http:",
      ...options.http.trim().split("\n"),
    ],
  });
}

/** A rule that answers itself, so that a test sees which rule took a request by its status. */
export function answer(status: number, match?: string): string {
  const action = `directResponse: {status: ${status}}`;
  return match === undefined ? `- ${action}` : `- {match: [${match}], ${action}}`;
}

/** Service `name` at port 80 with one address, and its subsets by the label `version`. */
export function service(name: string, subsets: readonly string[] = [], extra = ""): string {
  const entry = document("ServiceEntry", `default/${name}`, {
    spec: [
      `hosts: [${name}.default.svc.cluster.local]`,
      "ports: [{number: 80, name: http, protocol: HTTP}]",
      "resolution: STATIC",
      "location: MESH_INTERNAL",
      `endpoints: [${(subsets.length === 0 ? ["only"] : subsets)
        .map((subset, index) => `{address: 127.0.0.${index + 1}, labels: {version: ${subset}}}`)
        .join(", ")}]`,
    ],
  });
  if (subsets.length === 0 && extra === "") {
    return entry;
  }
  return (
    entry +
    document("DestinationRule", `default/${name}`, {
      spec: [
        `host: ${name}`,
        ...(extra === "" ? [] : [extra]),
        `subsets: [${subsets.map((subset) => `{name: ${subset}, labels: {version: ${subset}}}`).join(", ")}]`,
      ],
    })
  );
}

/** One YAML document, with the separator before it. */
export function document(
  kind: "Gateway" | "VirtualService" | "DestinationRule" | "ServiceEntry",
  name: string,
  options: { readonly created?: string | undefined; readonly spec: readonly string[] },
): string {
  const [namespace, local] = name.split("/");
  const created = options.created === undefined ? "" : `, creationTimestamp: "${options.created}"`;
  return [
    "---",
    "apiVersion: networking.istio.io/v1",
    `kind: ${kind}`,
    `metadata: {name: ${local}, namespace: ${namespace}${created}}`,
    "spec:",
    ...options.spec.map((line) => `  ${line}`),
    "",
  ].join("\n");
}
