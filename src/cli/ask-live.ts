import type { GatewayAddress, Status } from "../api/types.ts";
import type { FilterChain, RouteTable } from "../core/routes/route-table.ts";
import type { SimulatedRequest } from "../core/routes/simulation.ts";
import { hostOf } from "../core/routes/find-virtual-host.ts";
import { splitsOf } from "../core/routes/weights.ts";
import type { RequestAnswer } from "./explain-request.ts";
import {
  type ClientCertificate,
  probe,
  type ProbeAnswer,
  type ProbePlace,
  sendPlain,
  type SentAnswer,
} from "./probe-envoy.ts";
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
  /** Why Envoy ended the connection before any answer; null where it did not. */
  readonly ended: string | null;
  /** Whether Envoy kept a connection of bytes open; absent for requests. */
  readonly carries?: boolean;
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
  /** What the client shows of itself in TLS. */
  readonly certificate: ClientCertificate | undefined;
}

/**
 * Asks the running Envoy the same question. A probe ends in Envoy once its route is known, so that no app sees it; only
 * where no cluster was drawn, and Envoy answers by itself, is the request sent as it is, to see the status.
 */
export async function askLive(question: LiveQuestion): Promise<LiveAnswer> {
  const place = findPlace(question);
  const said = await probe(place, question.request);
  if (said.ended !== null && question.answer.filterChain?.tls === "mutual" && question.certificate === undefined) {
    throw usageError("This server takes no client without a certificate.", "Name one with --cert FILE and --key FILE.");
  }
  const isOwn = said.cluster === null && said.status === null && said.ended === null;
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
    ended: said.ended,
    differences,
  };
}

function findPlace({ request, answer, table, status, certificate }: LiveQuestion): ProbePlace {
  const { from } = request;
  if (from !== undefined) {
    const caller = status.callers.find(({ workload }) => workload === from);
    if (caller?.proxy === undefined || caller.proxy === null) {
      throw usageError(`No sidecar of ${from} runs.`, "`kirikae status` shows who sends requests inside the mesh.");
    }
    return { address: caller.proxy, serverName: undefined, isProxy: true, certificate };
  }
  const chain = findChain(table, answer);
  const gateway = findGateway({ status, chain, port: request.port });
  const isTls = chain?.tls !== undefined || (chain === undefined && request.scheme === "https");
  return {
    address: gateway.address,
    serverName: isTls ? (request.sni ?? hostOf(request.authority)) : undefined,
    isProxy: false,
    certificate,
  };
}

export function findChain(table: RouteTable, { filterChain }: RequestAnswer): FilterChain | undefined {
  return table.listeners.flatMap(({ filterChains }) => filterChains).find(({ id }) => id === filterChain?.id);
}

/**
 * Where the server of a filter chain listens on this machine, or any server of the port where no chain takes what is
 * asked.
 * @throws KirikaeError KIR5057 for a port that no running gateway has, exit status 2
 */
export function findGateway(asked: {
  readonly status: Status;
  readonly chain: FilterChain | undefined;
  readonly port: number;
}): GatewayAddress {
  const { status, chain, port } = asked;
  const [server] = chain?.servers ?? [];
  const gateway =
    status.gateways.find((each) => each.gateway === server?.gateway && each.server === server.server) ??
    status.gateways.find((each) => each.port === port);
  if (gateway !== undefined) return gateway;
  throw usageError(`No running gateway has port ${port}.`, "`kirikae status` shows where requests enter.");
}

function compare({ answer, table }: LiveQuestion, said: ProbeAnswer, sent: SentAnswer | undefined): readonly string[] {
  if (said.ended !== null) {
    return answer.status === 0 ? [] : [`Envoy ends the connection before any answer: ${said.ended}`];
  }
  if (answer.status === 0) return ["Envoy takes the connection, and the manifests say that it is refused"];
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
  // Envoy gives its own answer 201 a Location too, which nobody follows.
  return answer.outcome !== "redirect" || sent.location === answer.location
    ? differences
    : [
        ...differences,
        `Envoy redirects to ${sent.location ?? "nowhere"}, and the manifests to ${answer.location ?? "nowhere"}`,
      ];
}
