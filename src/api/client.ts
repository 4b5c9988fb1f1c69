import { request, type IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { readAddressFiles } from "./address-files.ts";
import type { ApiErrorBody } from "./api-error.ts";
import type { ReleaseQuery } from "./list-releases.ts";
import type { MoveLine } from "./move-stream.ts";
import type {
  CallerDetail,
  CallerTarget,
  HistoryEntry,
  LiveEvent,
  MoveProgress,
  MoveResult,
  ReleaseOrder,
  ReleaseSource,
  ReleaseStatus,
  ReleaseSummary,
  Status,
} from "./types.ts";
import { KirikaeError, type ExitStatus } from "../core/diagnostics/error.ts";
import type { MovePlan, MoveRequest } from "../core/release/move/move.ts";
import type { ReleasePlan } from "../core/release/plan/plan-release.ts";
import type { ReleaseReport } from "../core/release/report/release-report.ts";

/** Talks to a running `kirikae up`. Errors of the other side arrive as the same KirikaeError that it threw. */
export interface ApiClient {
  readonly url: string;
  status(): Promise<Status>;
  plan(request: MoveRequest): Promise<MovePlan>;
  /** Reports each step while it happens; the result comes back only once. */
  move(request: MoveRequest, onProgress: (progress: MoveProgress) => void, signal?: AbortSignal): Promise<MoveResult>;
  history(name: string | undefined): Promise<readonly HistoryEntry[]>;
  planRelease(source: ReleaseSource): Promise<ReleasePlan>;
  startRelease(source: ReleaseSource): Promise<ReleaseStatus>;
  /** Newest first. */
  releases(query?: ReleaseQuery): Promise<readonly ReleaseSummary[]>;
  /**
   * The newest of that name, which is `namespace/name` or the name alone. Throws KIR2035 where there is none, KIR2036
   * where several could be meant.
   */
  release(name: string, options?: ReleaseLookup): Promise<ReleaseStatus>;
  /** Of `namespace/name`. */
  report(release: string): Promise<ReleaseReport>;
  /** Of `namespace/name`, as the status gives it. */
  orderRelease(release: string, order: ReleaseOrder): Promise<ReleaseStatus>;
  /** What a workload's requests meet; throws KIR5061 with the list of those that exist. */
  caller(workload: string, target: CallerTarget): Promise<CallerDetail>;
  /** A link that signs this person in. */
  createPageUrl(actor: string): Promise<string>;
  /** What happens from now on; ends when the API stops or the signal says so. */
  events(signal: AbortSignal): AsyncIterable<LiveEvent>;
}

/** Which release is meant, and what of it is asked. */
interface ReleaseLookup {
  readonly namespace?: string | undefined;
  /** Leaves the proxies alone. */
  readonly live?: false;
}

export interface ClientFiles {
  readonly tokenFile: string;
  readonly addressFile: string;
}

/** A client for the API that the state folder names. Throws KIR5050 when none was left running there. */
export async function connectApi(files: ClientFiles): Promise<ApiClient> {
  const found = await readAddressFiles(files);
  if (found === undefined) throw nothingRuns(undefined);
  const call: Call = (method, path, options = {}) =>
    send({ ...found, url: found.address.url }, { method, path, ...options });
  return {
    url: found.address.url,
    status: () => readJson(call("GET", "/v1/status")),
    plan: (body) => readJson(call("POST", "/v1/plan", { body })),
    history: (name) =>
      readJson(call("GET", `/v1/history${name === undefined ? "" : `?name=${encodeURIComponent(name)}`}`)),
    planRelease: (body) => readJson(call("POST", "/v1/releases/plan", { body })),
    startRelease: (body) => readJson(call("POST", "/v1/releases", { body })),
    releases: (query = {}) => readJson(call("GET", `/v1/releases${renderQuery(query)}`)),
    release: (name, { namespace, live } = {}) => {
      const path = name.includes("/") && namespace === undefined ? encodePath(name) : encodeURIComponent(name);
      return readJson(call("GET", `/v1/releases/${path}${renderQuery({ namespace, live })}`));
    },
    report: (release) => readJson(call("GET", `/v1/releases/${encodePath(release)}/report`)),
    orderRelease: (release, body) => readJson(call("POST", `/v1/releases/${encodePath(release)}/orders`, { body })),
    caller: (workload, { host, port }) => {
      const query = `host=${encodeURIComponent(host)}&port=${port}`;
      return readJson(call("GET", `/v1/callers/${encodePath(workload)}?${query}`));
    },
    createPageUrl: async (actor) =>
      (await readJson<{ url: string }>(call("POST", "/v1/page-link", { body: { actor } }))).url,
    move: async (body, onProgress, signal) => readMove(await call("POST", "/v1/moves", { body, signal }), onProgress),
    events: (signal) => readEvents(call("GET", "/v1/events", { signal }), signal),
  };
}

function renderQuery(values: object): string {
  const given = Object.entries<unknown>({ ...values }).filter(([, value]) => value !== undefined);
  if (given.length === 0) return "";
  return `?${new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString()}`;
}

/** `namespace/name` as two parts of a path. */
function encodePath(name: string): string {
  return name.split("/").map(encodeURIComponent).join("/");
}

interface Place {
  readonly url: string;
  readonly token: string;
}

interface CallOptions {
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

type Call = (method: "GET" | "POST", path: string, options?: CallOptions) => Promise<IncomingMessage>;

interface Sent extends CallOptions {
  readonly method: string;
  readonly path: string;
}

async function send(place: Place, { method, path, body, signal }: Sent): Promise<IncomingMessage> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request(`${place.url}${path}`, {
      method,
      signal,
      agent: false,
      headers: {
        authorization: `Bearer ${place.token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
    });
    outgoing.on("error", (error) => reject(signal?.aborted === true ? error : asConnectionError(error)));
    outgoing.on("response", resolve);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
  if (answer.statusCode === 200) return answer;
  throw await readError(answer);
}

async function readJson<Shape>(answer: Promise<IncomingMessage>): Promise<Shape> {
  const body = await readText(await answer);
  const value: Shape = parse(body);
  return value;
}

async function readText(answer: IncomingMessage): Promise<string> {
  return text(answer).catch((error: unknown) => {
    throw connectionLost(error);
  });
}

async function readError(answer: IncomingMessage): Promise<KirikaeError> {
  const body: Partial<ApiErrorBody> = parse(await readText(answer));
  return toKirikaeError(body);
}

async function readMove(answer: IncomingMessage, onProgress: (progress: MoveProgress) => void): Promise<MoveResult> {
  for await (const line of readLines(answer)) {
    const step: MoveLine = parse(line);
    if (step.kind === "error") throw toKirikaeError(step.error);
    onProgress(step);
    if (step.kind === "finished") return step.result;
  }
  throw connectionLost(undefined);
}

async function* readEvents(answer: Promise<IncomingMessage>, signal: AbortSignal): AsyncGenerator<LiveEvent> {
  try {
    for await (const line of readLines(await answer)) {
      if (line.startsWith("data: ")) yield parse(line.slice("data: ".length));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function* readLines(answer: IncomingMessage): AsyncGenerator<string> {
  const lines = createInterface({ input: answer, crlfDelay: Infinity });
  try {
    for await (const line of lines) if (line !== "") yield line;
  } catch (error) {
    throw connectionLost(error);
  }
}

/** Believes the shape, because both ends are the same program. */
function parse(body: string): ReturnType<typeof JSON.parse> {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw connectionLost(error);
  }
}

function toKirikaeError(body: Partial<ApiErrorBody>): KirikaeError {
  if (typeof body.code !== "string" || typeof body.message !== "string") return connectionLost(undefined);
  const exitStatus: ExitStatus = body.exitStatus ?? 3;
  return new KirikaeError(body.code, body.message, {
    exitStatus,
    details: body.details ?? {},
    ...(typeof body.hint === "string" ? { hint: body.hint } : {}),
  });
}

function asConnectionError(error: NodeJS.ErrnoException): KirikaeError {
  return error.code === "ECONNREFUSED" ? nothingRuns(error) : connectionLost(error);
}

function nothingRuns(cause: unknown): KirikaeError {
  return new KirikaeError("KIR5050", "No `kirikae up` is running with this state folder.", {
    exitStatus: 3,
    hint: "Start one in another terminal, such as `kirikae up DIR`; KIRIKAE_STATE has to be the same in both.",
    cause,
  });
}

function connectionLost(cause: unknown): KirikaeError {
  return new KirikaeError("KIR5059", "The connection to `kirikae up` ended in the middle of an answer.", {
    exitStatus: 3,
    hint: "Ask `kirikae status` and `kirikae history` how it ended.",
    cause,
  });
}
