import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import { hostOf } from "../../core/routes/find-virtual-host.ts";
import type { SimulatedRequest } from "../../core/routes/simulation.ts";
import { addRoutes } from "../../core/routes/add-routes.ts";
import { withWeights } from "../../core/routes/weights.ts";
import { askLive, type LiveAnswer, type LiveQuestion } from "../ask-live.ts";
import { askLiveConnection } from "../ask-live-connection.ts";
import { printAnswer, type CommandContext } from "../command.ts";
import { connect } from "../connect.ts";
import { explainConnection, type AskedConnection } from "../explain-connection.ts";
import { explainRequest, type ExplainedMesh, type RequestAnswer } from "../explain-request.ts";
import type { Ink } from "../ink.ts";
import { findAddresses } from "../known-addresses.ts";
import { readLiveWeights } from "../live-weights.ts";
import { loadChosen } from "../load-live.ts";
import { chosenSite } from "../reach-mesh.ts";
import { noteErrors } from "../load-mesh.ts";
import { parsePort } from "../parse-port.ts";
import { parseRequest } from "../parse-request.ts";
import type { ClientCertificate } from "../probe-envoy.ts";
import { renderExplanation } from "../print/explanation.ts";
import { renderLive } from "../print/live.ts";
import { noteUnreadRoutes } from "../print/unread-routes.ts";
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
  if (options.live === true && chosenSite(context) !== undefined) {
    throw usageError("--live does not go with --context.", "What the objects say is live; leave out --live.");
  }
  const loaded = await loadChosen(context, paths, options);
  const errors = noteErrors(loaded, context.terminal);
  if (options.from !== undefined) requireSidecar(loaded.table, options.from);
  const { mesh } = loaded;
  noteUnreadRoutes(mesh, askedHost(question), context.terminal);
  const addresses = await findAddresses(mesh, context.env);
  const status = options.live === true ? await (await connect(context.env)).status() : undefined;
  const table =
    status === undefined
      ? loaded.table
      : addRoutes(withWeights(loaded.table, readLiveWeights(loaded.table, status.services)), status.additions);
  const answer = explainQuestion({ mesh, table, addresses }, question);
  const asked = describeQuestion(question);
  const explanation = (ink: Ink) => renderExplanation(answer, asked, ink);
  const live =
    status === undefined
      ? undefined
      : await askAbout(question, {
          answer,
          table,
          status,
          maySend: options.send === true,
          certificate: await readCertificate(options),
        }).catch((error: unknown) => {
          // What the manifests say is known, whatever the running Envoy could not be asked.
          if (options.json !== true) context.terminal.answer(explanation(context.terminal.ink));
          throw error;
        });
  const text = (ink: Ink) => [explanation(ink), ...(live === undefined ? [] : [renderLive(live, ink)])].join("\n");
  const exitStatus = errors === 0 && live?.agrees !== false ? 0 : 1;
  printAnswer(context, { exitStatus, data: live === undefined ? answer : { ...answer, live }, text }, options);
}

async function askAbout(question: Question, rest: Omit<LiveQuestion, "request">): Promise<LiveAnswer> {
  if (question.kind === "connection") return askLiveConnection(rest, question.connection);
  if (isCarried(rest.answer, question.request)) return askLiveConnection(rest, connectionOf(question.request));
  return askLive({ ...rest, request: question.request });
}

function explainQuestion(explained: ExplainedMesh, question: Question): RequestAnswer {
  if (question.kind === "connection") return explainConnection(explained, question.connection);
  const { request } = question;
  const answer = explainRequest(explained, request);
  if (answer.outcome !== "reset") return answer;
  const carried = explainConnection(explained, connectionOf(request));
  return isCarried(carried, request) ? carried : answer;
}

function askedHost(question: Question): string {
  if (question.kind === "request") return hostOf(question.request.authority);
  return question.connection.serverName ?? question.connection.host;
}

/** TLS that a gateway passes on is no request to it, and what a workload encrypts is none to its sidecar. */
function isCarried({ outcome }: RequestAnswer, { scheme, from }: SimulatedRequest): boolean {
  return outcome === "tcp" || (scheme === "https" && from !== undefined);
}

function connectionOf({ from, authority, port, scheme, sni }: SimulatedRequest): AskedConnection {
  const host = hostOf(authority);
  const isTls = scheme === "https";
  return { from, host, port, isTls, serverName: isTls ? (sni ?? host) : undefined };
}

/**
 * @throws KirikaeError KIR5057 for one without the other, and KIR5013 for a file that cannot be read, exit status 2
 */
async function readCertificate({ cert, key }: ExplainOptions): Promise<ClientCertificate | undefined> {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    throw usageError("--cert and --key go together.", "Name the certificate and its key, both in PEM.");
  }
  return { cert: await readPem(cert), key: await readPem(key) };
}

function readPem(path: string): Promise<Buffer> {
  return readFile(path).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new KirikaeError("KIR5013", `The file ${path} cannot be read: ${why}.`, {
      exitStatus: 2,
      hint: "Name a file that is there and that you may read.",
      cause: error,
    });
  });
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
  return { kind: "connection", connection: parseConnection(tcp, options) };
}

function parseConnection(tcp: string, { from, sni, tls }: ExplainOptions): AskedConnection {
  const parts = /^(?<host>\[[0-9a-f:.]+\]|[^:\s]+):(?<port>\d+)$/iu.exec(tcp)?.groups;
  if (parts === undefined) throw usageError(`"${tcp}" is not a host and a port.`, "Write it as in --tcp db.shop:5432.");
  const host = (parts["host"] ?? "").toLowerCase();
  return {
    from,
    host,
    port: parsePort(parts["port"] ?? ""),
    isTls: tls === true || sni !== undefined,
    serverName: sni?.toLowerCase() ?? (tls === true ? nameOf(host) : undefined),
  };
}

/** Clients ask for the name that they connect to, and for none where that is an address. */
function nameOf(host: string): string | undefined {
  return isIP(host.replaceAll(/^\[|\]$/gu, "")) === 0 ? host : undefined;
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
