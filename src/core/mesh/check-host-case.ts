import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import type { Position } from "../diagnostics/position.ts";
import { listNames } from "../manifest/decode/nearest-name.ts";
import { type Manifest, resourceName } from "../manifest/manifest.ts";
import type { Mesh } from "./mesh.ts";

interface WrittenHost {
  readonly host: string;
  readonly at: Position;
}

/**
 * Hosts with capital letters. Proxies lower them where requests come in, but Istio ties VirtualServices to Gateways by the
 * text as it stands, so `App.example` and `app.example` are two hosts there. Destinations are judged with their services.
 * Source: Istio `pkg/config/host/name.go`, `pilot/pkg/networking/core/gateway.go`.
 */
export function checkHostCase(mesh: Pick<Mesh, "manifests">): readonly Diagnostic[] {
  return mesh.manifests.flatMap((manifest) => {
    const capitals = hostsOf(manifest).filter(({ host }) => host !== host.toLowerCase());
    const [first] = capitals;
    return first === undefined
      ? []
      : [
          diagnostic("KIR1229", {
            message: `Capital letters are in ${listNames([...new Set(capitals.map(({ host }) => `"${host}"`))], 5)}; Istio compares hosts of objects letter by letter, so that the same name in lower case is another host to it.`,
            hint: "Write host names in lower case everywhere.",
            resource: resourceName(manifest),
            at: first.at,
          }),
        ];
  });
}

function hostsOf(manifest: Manifest): readonly WrittenHost[] {
  const place = (at: Position | undefined) => {
    return (host: string): WrittenHost => ({ host, at: at ?? manifest.at });
  };
  if (manifest.kind === "VirtualService") {
    return manifest.spec.hosts.map(place(manifest.spec.hostsAt));
  }
  if (manifest.kind === "Gateway") {
    return manifest.spec.servers.flatMap(({ hosts, at }) => hosts.map(place(at)));
  }
  return manifest.kind === "ServiceEntry" ? manifest.spec.hosts.map(place(undefined)) : [];
}
