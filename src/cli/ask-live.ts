import type { Status } from "../api/types.ts";
import type { RouteTable } from "../core/routes/route-table.ts";
import type { SimulatedRequest } from "../core/routes/simulation.ts";
import { hostOf } from "../core/routes/find-virtual-host.ts";
import { splitsOf } from "../core/routes/weights.ts";
import type { RequestAnswer } from "./explain-request.ts";
import { probe, type ProbeAnswer, type ProbePlace, sendPlain, type SentAnswer } from "./probe-envoy.ts";
import { usageError } from "./usage-error.ts";

/** What the running Envoy said, beside what the manifests say; a part of `explain --live --json`. */
export interface LiveAnswer {
  readonly agrees: boolean;
  /** Of the Envoy that was asked. */
  readonly address: string;
  /** The name of its route, and the cluster that it drew. */
  readonly route: string | null;
  readonly cluster: string | null;
  /** Of an answer that Envoy gives by itself; null where an app would give it, or where it was not asked for. */
  readonly status: number | null;
  readonly location: string | null;
  /** In plain words; empty where both agree. */
  readonly differences: readonly string[];
}

export interface LiveQuestion {
  readonly request: SimulatedRequest;
  /** What the manifests say. */
  readonly answer: RequestAnswer;
  readonly table: RouteTable;
  readonly status: Status;
  /** Whether Envoy may be sent a request of any method that it answers by itself. */
  readonly maySend: boolean;
}

/**
 * Asks the running Envoy the same question. A probe ends in Envoy once its route is known, so that no app sees it; only
 * where no cluster was drawn, and Envoy answers by itself, is the request sent as it is, to see the status.
 */
export async function askLive(question: LiveQuestion): Promise<LiveAnswer> {
  const place = findPlace(question);
  const said = await probe(place, question.request);
  const isOwn = said.cluster === null && said.status === null;
  const isSafe = question.maySend || ["GET", "HEAD"].includes(question.request.method);
  const sent = isOwn && isSafe ? await sendPlain(place, question.request) : undefined;
  const differences = compare(question, said, sent);
  return {
    agrees: differences.length === 0,
    address: place.address,
    route: said.route,
    cluster: said.cluster,
    status: sent?.status ?? said.status,
    location: sent?.location ?? null,
    differences,
  };
}

function findPlace({ request, answer, table, status }: LiveQuestion): ProbePlace {
  const { from } = request;
  if (from !== undefined) {
    const caller = status.callers.find(({ workload }) => workload === from);
    if (caller?.proxy === undefined || caller.proxy === null) {
      throw usageError(`No sidecar of ${from} runs.`, "`kirikae status` shows who sends requests inside the mesh.");
    }
    return { address: caller.proxy, serverName: undefined, isProxy: true };
  }
  const chain = table.listeners
    .flatMap(({ filterChains }) => filterChains)
    .find(({ id }) => id === answer.filterChain?.id);
  const [server] = chain?.servers ?? [];
  const gateway =
    status.gateways.find((each) => each.gateway === server?.gateway && each.server === server.server) ??
    status.gateways.find(({ port }) => port === request.port);
  if (gateway === undefined) {
    throw usageError(`No running gateway has port ${request.port}.`, "`kirikae status` shows where requests enter.");
  }
  const isTls = chain?.tls !== undefined || (chain === undefined && request.scheme === "https");
  return {
    address: gateway.address,
    serverName: isTls ? (request.sni ?? hostOf(request.authority)) : undefined,
    isProxy: false,
  };
}

function compare({ answer, table }: LiveQuestion, said: ProbeAnswer, sent: SentAnswer | undefined): readonly string[] {
  if (said.status !== null) {
    return said.status === answer.status ? [] : [`Envoy refuses it with ${said.status} before it looks for a route`];
  }
  const byRoute = compareRoutes(answer, said);
  if (byRoute !== undefined) return [byRoute];
  if (said.cluster !== null) {
    const arms = splitsOf(table).get(said.route ?? "")?.arms ?? [];
    return arms.some(({ destination }) => destination === said.cluster)
      ? []
      : [`Envoy drew ${said.cluster}, which the rule does not name`];
  }
  return sent === undefined ? [] : compareAnswers(answer, sent);
}

function compareRoutes(answer: RequestAnswer, said: ProbeAnswer): string | undefined {
  if (answer.routeName === said.route) return undefined;
  if (said.route === null) return `Envoy has no route for it, and the manifests have ${answer.routeName ?? "none"}`;
  return `Envoy takes it by ${said.route}, and the manifests by ${answer.routeName ?? "no route"}`;
}

function compareAnswers(answer: RequestAnswer, sent: SentAnswer): readonly string[] {
  const differences =
    sent.status === answer.status ? [] : [`Envoy answers ${sent.status}, and the manifests say ${answer.status}`];
  return (sent.location ?? null) === answer.location
    ? differences
    : [
        ...differences,
        `Envoy redirects to ${sent.location ?? "nowhere"}, and the manifests to ${answer.location ?? "nowhere"}`,
      ];
}
