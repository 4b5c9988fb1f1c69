import { explain } from "../../core/routes/explain.ts";
import { printAnswer, type CommandContext } from "../command.ts";
import { findAddresses } from "../known-addresses.ts";
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
