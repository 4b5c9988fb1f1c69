import { KirikaeError } from "../../core/diagnostics/error.ts";
import type { Mesh } from "../../core/mesh/mesh.ts";
import { explain } from "../../core/routes/explain.ts";
import { printAnswer, type CommandContext } from "../command.ts";
import { connect } from "../connect.ts";
import { loadMesh, noteErrors } from "../load-mesh.ts";
import { parseRequest } from "../parse-request.ts";
import { renderExplanation } from "../print/explanation.ts";
import type { ExplainOptions } from "./explain.ts";

/**
 * Explains a request by the manifests alone; nothing is sent. Manifests with errors are explained as far as they are
 * understood, and the answer is then no, because `up` would refuse them.
 */
export async function runExplain(
  context: CommandContext,
  paths: readonly string[],
  options: ExplainOptions,
): Promise<void> {
  const request = parseRequest(options);
  const loaded = await loadMesh(paths, { defaultNamespace: options.namespace, input: context.input });
  const exitStatus = noteErrors(loaded, context.terminal) === 0 ? 0 : 1;
  const addresses = await findAddresses(loaded.mesh, context.env);
  const explanation = explain(loaded.table, request, { endpoints: (name) => addresses.get(name) ?? [] });
  printAnswer(
    context,
    { exitStatus, data: explanation, text: (ink) => renderExplanation(explanation, request, ink) },
    options,
  );
}

/** Fixed addresses come from the manifests; those of started replicas are known only to a running `up`. */
async function findAddresses(mesh: Mesh, env: NodeJS.ProcessEnv): Promise<ReadonlyMap<string, readonly string[]>> {
  const workloads = [...mesh.localWorkloads].map(([name, { spec }]) => {
    const addresses = spec.source.kind === "addresses" ? spec.source.addresses : [];
    return [name, addresses.map(({ host, port }) => `${host}:${port}`)] as const;
  });
  const fixed = workloads.filter(([, addresses]) => addresses.length > 0);
  if (fixed.length === workloads.length) return new Map(fixed);
  return new Map([...(await readRunningAddresses(env)), ...fixed]);
}

async function readRunningAddresses(
  env: NodeJS.ProcessEnv,
): Promise<readonly (readonly [name: string, addresses: readonly string[]])[]> {
  try {
    const { workloads } = await (await connect(env)).status();
    return workloads.map(({ name, replicas }) => [name, replicas.map((replica) => replica.address)]);
  } catch (error) {
    // Without a running `up` there are no replicas.
    if (error instanceof KirikaeError && (error.code === "KIR5050" || error.code === "KIR5059")) return [];
    throw error;
  }
}
