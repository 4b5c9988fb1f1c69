import { diagnostic } from "../diagnostics/diagnostic.ts";
import { resourceName } from "../manifest/manifest.ts";
import type { Findings } from "./build-routes.ts";
import type { TcpResult } from "./build-tcp-route.ts";
import type { BoundServer } from "./gateway-servers.ts";

const hints = {
  KIR1111: "Nothing is to be done for a trial on this machine; the server counts in a cluster.",
  KIR1112: "Add the Secret to the namespace of the gateway's pods, or correct credentialName.",
  KIR1113: "Give the name to one of them only.",
  KIR1115: "Bind a VirtualService with such a rule and one of the server's hosts to the Gateway.",
} as const;

/** A server, or a part of it, that is left out; the rest of the gateway is served. */
export function reportGatewayServer(
  findings: Findings,
  { resource, server }: BoundServer,
  { code, reason }: { readonly code: keyof typeof hints; readonly reason: string },
): void {
  const message = `Server ${server.name} on port ${server.port.number} is not served: ${reason}.`;
  const at = code === "KIR1112" ? (server.tls?.at ?? server.at) : server.at;
  findings.set(
    `${code} ${resource} ${at.line}:${at.column} ${message}`,
    diagnostic(code, { message, hint: hints[code], resource, at }),
  );
}

/** A tcp or tls rule whose destinations cannot be used. */
export function reportRefusedTcp(findings: Findings, refused: Extract<TcpResult, { kind: "refused" }>): void {
  const { code, message, at } = refused;
  const resource = resourceName(refused.virtualService);
  findings.set(`${code} ${resource} ${at.line}:${at.column}`, diagnostic(code, { message, resource, at }));
}
