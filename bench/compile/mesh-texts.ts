import type { SourceText } from "../../src/core/manifest/manifest.ts";

/** Manifests that the benchmark makes, one file an object, as teams keep them. */
export interface MeshShape {
  readonly virtualServices: number;
  /** Every so many VirtualServices has a wildcard host (`*.app-7.example.com`); none where it is 0. */
  readonly wildcardEvery: number;
}

export const meshNamespace = "apps";
const maxServices = 100;

/** The host names of a mesh are in one domain, which its gateway admits. */
export function hostOf(shape: MeshShape, index: number): string {
  return isWildcardAt(shape, index) ? `*.app-${index}.example.com` : `app-${index}.example.com`;
}

export function isWildcardAt({ wildcardEvery }: MeshShape, index: number): boolean {
  return wildcardEvery > 0 && index % wildcardEvery === wildcardEvery - 1;
}

/** The whole mesh: a gateway, services with two versions, and VirtualServices with five rules each. */
export function meshTexts(shape: MeshShape, ports: VersionPorts): readonly SourceText[] {
  const services = Math.min(shape.virtualServices, maxServices);
  return [
    { path: "gateway.yaml", text: gatewayText },
    ...Array.from({ length: services }, (_, index) => ({
      path: `service-${index}.yaml`,
      text: serviceText(index, ports),
    })),
    ...Array.from({ length: services }, (_, index) => ({
      path: `rule-${index}.yaml`,
      text: destinationRuleText(index, {}),
    })),
    ...Array.from({ length: shape.virtualServices }, (_, index) => virtualServiceSource(shape, index)),
  ];
}

/** Where the two versions answer on this machine. */
export interface VersionPorts {
  readonly blue: number;
  readonly green: number;
}

const gatewayText = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata:
  name: gateway
  namespace: ${meshNamespace}
spec:
  selector:
    istio: ingressgateway
  servers:
    - port:
        number: 80
        name: http
        protocol: HTTP
      hosts:
        - "*.example.com"
`;

export function serviceText(index: number, { blue, green }: VersionPorts): string {
  return `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata:
  name: service-${index}
  namespace: ${meshNamespace}
spec:
  hosts:
    - service-${index}.internal
  location: MESH_INTERNAL
  resolution: STATIC
  ports:
    - number: 80
      name: http
      protocol: HTTP
  endpoints:
    - address: 127.0.0.1
      ports:
        http: ${blue}
      labels:
        version: blue
    - address: 127.0.0.1
      ports:
        http: ${green}
      labels:
        version: green
`;
}

export function destinationRuleText(index: number, { maxRequests }: { readonly maxRequests?: number }): string {
  const policy = `  trafficPolicy:
    connectionPool:
      http:
        http2MaxRequests: ${maxRequests}
`;
  return `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: service-${index}
  namespace: ${meshNamespace}
spec:
  host: service-${index}.internal
${maxRequests === undefined ? "" : policy}  subsets:
    - name: blue
      labels:
        version: blue
    - name: green
      labels:
        version: green
`;
}

/** What one change of a VirtualService's rules changes: the value of a header in one of the five. */
export interface RuleState {
  readonly changed?: string;
}

export function virtualServiceSource(shape: MeshShape, index: number, state: RuleState = {}): SourceText {
  return { path: `app-${index}.yaml`, text: virtualServiceText(shape, index, state) };
}

function virtualServiceText(shape: MeshShape, index: number, { changed = "green" }: RuleState): string {
  const service = `service-${index % Math.min(shape.virtualServices, maxServices)}.internal`;
  const to = (subset: string): string => `        - destination:
            host: ${service}
            subset: ${subset}
`;
  return `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: app-${index}
  namespace: ${meshNamespace}
spec:
  hosts:
    - "${hostOf(shape, index)}"
  gateways:
    - gateway
  http:
    - name: preview
      match:
        - headers:
            x-version:
              exact: ${changed}
      route:
${to("green")}    - name: api
      match:
        - uri:
            prefix: /api/v1/
      timeout: 10s
      route:
${to("blue")}    - name: static
      match:
        - uri:
            exact: /static
      rewrite:
        uri: /assets
      route:
${to("blue")}    - name: search
      match:
        - uri:
            regex: /search/[a-z]+
          queryParams:
            q:
              exact: all
      route:
${to("green")}    - name: public
      route:
${to("blue")}          weight: 90
${to("green")}          weight: 10
`;
}
