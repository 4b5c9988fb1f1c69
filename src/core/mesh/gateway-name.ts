import type { ObjectName } from "../manifest/manifest.ts";

/**
 * The Gateway that a VirtualService of `namespace` means: `name`, `./name`, `namespace/name`, or the old full name
 * `name.namespace.svc...`. Undefined for `mesh`, which is no Gateway.
 * Source: Istio `pilot/pkg/model/virtualservice.go`, resolveGatewayName.
 */
export function resolveGatewayName(name: string, namespace: string): ObjectName | undefined {
  if (name === "mesh") {
    return undefined;
  }
  if (name.includes("/")) {
    return name.startsWith("./") ? `${namespace}/${name.slice(2)}` : name;
  }
  const [first = "", second] = name.split(".");
  return second === undefined ? `${namespace}/${name}` : `${second}/${first}`;
}
