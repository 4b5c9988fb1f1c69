import type { CallerDetail } from "../../api/types.ts";
import type { SimulatedRequest } from "../../core/routes/simulation.ts";
import { printAnswer, type CommandContext } from "../command.ts";
import { connect } from "../connect.ts";
import { parseRequest } from "../parse-request.ts";
import { renderCallerAnswer, renderCounts, renderNoSidecar } from "../print/curl.ts";
import { type CallerAnswer, type CallerConnection, connectAsCaller } from "../send-as-caller.ts";
import { usageError } from "../usage-error.ts";
import type { CurlOptions } from "./curl.ts";

/** Sends a request as a workload; says first, and on stderr, when no rule of the mesh applies to that workload. */
export async function runCurl(context: CommandContext, url: string, options: CurlOptions): Promise<void> {
  const { terminal } = context;
  const asked = readRequest(url, options);
  const api = await connect(context.env);
  const caller = await api.caller(readWorkload(options.from), { host: hostOf(asked), port: asked.port });
  if (caller.withoutSidecar !== null) terminal.note(renderNoSidecar(caller, terminal.noteInk));
  using connection = connectAsCaller(caller, asked);
  if (options.number !== undefined) return await countAnswers(context, { connection, caller, options, url });
  const answer = await connection.send(options.data);
  const data = { ...describeCaller(caller, url), ...answer };
  const text = (): string => renderCallerAnswer(answer, options.include === true);
  printAnswer(context, { exitStatus: 0, data, text }, options);
}

function readRequest(url: string, options: CurlOptions): SimulatedRequest {
  const method = options.method ?? (options.data === undefined ? "GET" : "POST");
  const asked = parseRequest({ url: url.includes("://") ? url : `http://${url}`, header: options.header, method });
  if (asked.scheme === "http") return asked;
  throw usageError(
    "A sidecar cannot look into https, so no rule for HTTP would apply.",
    "Ask with http://; the caller's proxy encrypts where a DestinationRule says so.",
  );
}

function readWorkload(from: string): string {
  if (/^[^/\s]+\/[^/\s]+$/u.test(from)) return from;
  throw usageError(`"${from}" is not a workload.`, "Write it as in --from istio-canary/client: NAMESPACE/NAME.");
}

function hostOf({ authority }: SimulatedRequest): string {
  return authority.replace(/:\d+$/u, "");
}

function describeCaller({ workload, proxy, withoutSidecar }: CallerDetail, url: string) {
  return { workload, url, via: proxy === null ? "direct" : "sidecar", withoutSidecar };
}

/** How many requests are under way at the same time. */
const parallel = 8;

interface Counting {
  readonly connection: CallerConnection;
  readonly caller: CallerDetail;
  readonly options: CurlOptions;
  readonly url: string;
}

/** Answers that are equal in status and first line, which is how a version names itself. */
export interface AnswerCount {
  readonly count: number;
  readonly status: number;
  readonly answer: string;
}

async function countAnswers(context: CommandContext, { connection, caller, options, url }: Counting): Promise<void> {
  const requests = options.number ?? 1;
  const counts = new Map<string, AnswerCount>();
  let sent = 0;
  const work = async (): Promise<void> => {
    while (sent < requests) {
      sent += 1;
      add(counts, await connection.send(options.data));
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel, requests) }, work));
  const answers = [...counts.values()].toSorted((left, right) => right.count - left.count);
  printAnswer(
    context,
    {
      exitStatus: 0,
      data: { ...describeCaller(caller, url), requests, answers },
      text: () => renderCounts(answers),
    },
    options,
  );
}

const maxAnswerLength = 120;

function add(counts: Map<string, AnswerCount>, { status, body }: CallerAnswer): void {
  const answer = (body.split(/\r?\n/u, 1)[0] ?? "").slice(0, maxAnswerLength);
  const key = `${status} ${answer}`;
  counts.set(key, { count: (counts.get(key)?.count ?? 0) + 1, status, answer });
}
