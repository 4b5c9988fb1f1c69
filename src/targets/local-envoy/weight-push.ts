import type { ApplyReport, ProxyProof } from "../../engine/ports.ts";
import type { XdsServer } from "../../xds/server.ts";
import type { ConnectedProxy } from "./proxy-set.ts";
import type { PushedState } from "./pushed-state.ts";
import { waitForResource } from "./settlement.ts";

export interface RuntimeProof {
  readonly server: XdsServer;
  readonly state: PushedState;
  readonly proxies: readonly ConnectedProxy[];
  /** When the call came, of `performance.now()`. */
  readonly startMs: number;
  readonly deadlineMs: number;
}

type ProofOutcome =
  | { readonly kind: "proved"; readonly proof: ProxyProof }
  | { readonly kind: "refused"; readonly node: string; readonly resource: string; readonly message: string }
  | { readonly kind: "late"; readonly node: string; readonly message: string };

/** Waits until every worker of these proxies uses the runtime layer that was published last. */
export async function proveRuntime(proof: RuntimeProof): Promise<ApplyReport> {
  const outcomes = await Promise.all(proof.proxies.map((proxy) => proveOn(proxy, proof)));
  const refusal = outcomes.find((outcome) => outcome.kind === "refused");
  if (refusal !== undefined) {
    const { node, resource, message } = refusal;
    return { kind: "rejected", node, resource, message };
  }
  const proxies = outcomes.flatMap((outcome) => (outcome.kind === "proved" ? [outcome.proof] : []));
  const late = outcomes.filter((outcome) => outcome.kind === "late");
  if (late.length > 0) {
    return { kind: "unproved", proxies, message: late.map(({ node, message }) => `${node} ${message}`).join("; ") };
  }
  return { kind: "proved", callToProofMs: performance.now() - proof.startMs, proxies };
}

async function proveOn({ node, proof }: ConnectedProxy, options: RuntimeProof): Promise<ProofOutcome> {
  const { server, state, startMs, deadlineMs } = options;
  const { epoch, runtimeResource: resource } = state;
  const settlement = await waitForResource(server, node, { type: "runtime", resource, deadlineMs });
  if (settlement.kind === "refused") return settlement;
  if (settlement.kind === "waiting") {
    const isConnected = server.connected.includes(node);
    return { kind: "late", node, message: isConnected ? "did not confirm in time" : "is not connected" };
  }
  const isProved = await proof.prove(epoch, deadlineMs);
  if (!isProved) return { kind: "late", node, message: "confirmed, but not every worker showed it in time" };
  return { kind: "proved", proof: { node, ackMs: settlement.atMs - startMs, workersMs: performance.now() - startMs } };
}
