import { hostOf } from "../../core/routes/find-virtual-host.ts";
import type { SimulatedRequest } from "../../core/routes/simulation.ts";
import { withWeights } from "../../core/routes/weights.ts";
import { askLive, type LiveAnswer, type LiveQuestion } from "../ask-live.ts";
import { printAnswer, type CommandContext } from "../command.ts";
import { connect } from "../connect.ts";
import { explainConnection, type AskedConnection } from "../explain-connection.ts";
import { explainRequest, type ExplainedMesh, type RequestAnswer } from "../explain-request.ts";
import type { Ink } from "../ink.ts";
import { findAddresses } from "../known-addresses.ts";
import { readLiveWeights } from "../live-weights.ts";
import { loadMesh, noteErrors } from "../load-mesh.ts";
import { parsePort } from "../parse-port.ts";
import { parseRequest } from "../parse-request.ts";
import { renderExplanation } from "../print/explanation.ts";
import { renderLive } from "../print/live.ts";
import { requireSidecar } from "../select-proxies.ts";
import { usageError } from "../usage-error.ts";
import type { ExplainOptions } from "./explain.ts";

/** What was asked, in either form. */
type Question =
  | { readonly kind: "request"; readonly request: SimulatedRequest }
  | { readonly kind: "connection"; readonly connection: AskedConnection };

/**
 * Explains a request or a connection by the manifests alone; with `--live` with the weights that are live, and beside
 * what the running Envoy says. Manifests with errors are explained as far as they are understood, and the answer is then
 * no.
 */
export async function runExplain(
  context: CommandContext,
  paths: readonly string[],
  options: ExplainOptions,
): Promise<void> {
  const question = parseQuestion(options);
  const loaded = await loadMesh(paths, { defaultNamespace: options.namespace, input: context.input });
  const errors = noteErrors(loaded, context.terminal);
  if (options.from !== undefined) requireSidecar(loaded.table, options.from);
  const { mesh } = loaded;
  const addresses = await findAddresses(mesh, context.env);
  const status = options.live === true ? await (await connect(context.env)).status() : undefined;
  const table =
    status === undefined ? loaded.table : withWeights(loaded.table, readLiveWeights(loaded.table, status.services));
  const answer = explainQuestion({ mesh, table, addresses }, question);
  const live =
    status === undefined
      ? undefined
      : await askAbout(question, { answer, table, status, maySend: options.send === true });
  const asked = describeQuestion(question);
  const text = (ink: Ink) =>
    [renderExplanation(answer, asked, ink), ...(live === undefined ? [] : [renderLive(live, ink)])].join("\n");
  const exitStatus = errors === 0 && live?.agrees !== false ? 0 : 1;
  printAnswer(context, { exitStatus, data: live === undefined ? answer : { ...answer, live }, text }, options);
}

/** A connection that carries bytes could only be asked about by opening it, which its app would notice. */
function askAbout(question: Question, rest: Omit<LiveQuestion, "request">): Promise<LiveAnswer> {
  if (question.kind === "connection" || rest.answer.outcome === "tcp")
    throw usageError("--live asks about requests; a --tcp connection would reach the app.");
  return askLive({ ...rest, request: question.request });
}

function explainQuestion(explained: ExplainedMesh, question: Question): RequestAnswer {
  if (question.kind === "connection") return explainConnection(explained, question.connection);
  const { request } = question;
  const answer = explainRequest(explained, request);
  if (answer.outcome !== "reset" || request.from !== undefined) return answer;
  // TLS that a gateway passes on is no request to it.
  const host = hostOf(request.authority);
  const start = { isTls: request.scheme === "https", serverName: request.sni ?? host };
  const carried = explainConnection(explained, { from: undefined, host, port: request.port, ...start });
  return carried.outcome === "tcp" ? carried : answer;
}

function parseQuestion(options: ExplainOptions): Question {
  const { url, tcp, from, sni } = options;
  if (url !== undefined && tcp !== undefined) throw usageError("--url and --tcp exclude each other.");
  if (url !== undefined) {
    const request = parseRequest({ url, header: options.header, method: options.method });
    return {
      kind: "request",
      request: {
        ...request,
        ...(from === undefined ? {} : { from }),
        ...(sni === undefined ? {} : { sni: sni.toLowerCase() }),
      },
    };
  }
  if (tcp === undefined) throw usageError("Required option '--url <url>' (or --tcp <host:port>) not specified.");
  const parts = /^(?<host>\[[0-9a-f:.]+\]|[^:\s]+):(?<port>\d+)$/iu.exec(tcp)?.groups;
  if (parts === undefined) throw usageError(`"${tcp}" is not a host and a port.`, "Write it as in --tcp db.shop:5432.");
  const connection = {
    from,
    host: parts["host"]?.toLowerCase() ?? "",
    port: parsePort(parts["port"] ?? ""),
    isTls: options.tls === true || sni !== undefined,
    serverName: sni,
  };
  return { kind: "connection", connection };
}

function describeQuestion(question: Question): string {
  if (question.kind === "request") {
    const { method, scheme, authority, target, port, from } = question.request;
    const whence = from === undefined ? "" : ` from ${from}`;
    return `${method} ${scheme}://${authority}${target} at port ${port}${whence}`;
  }
  const { host, port, isTls, serverName, from } = question.connection;
  const secured = isTls ? ` with TLS${serverName === undefined ? "" : ` for ${serverName}`}` : "";
  return `connection to ${host}:${port}${secured}${from === undefined ? "" : ` from ${from}`}`;
}
