import { mkdtemp, readFile, rm } from "node:fs/promises";
import { request, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach } from "vitest";
import { startApi, type ApiLimits, type RunningApi } from "../../src/api/server.ts";
import { FakeBackend } from "./fake-backend.ts";

interface Call {
  readonly method?: string;
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
  readonly json: ReturnType<typeof JSON.parse>;
}

/** The body of a request for a move. */
export function move(name = "sample-app"): string {
  return JSON.stringify({ verb: "switch", name, to: { green: 100 }, actor: "tester" });
}

/** An API on loopback before a backend that is played. */
class ServedApi {
  readonly folder: string;
  readonly backend = new FakeBackend();
  readonly defects: unknown[] = [];
  #running: { readonly api: RunningApi; readonly token: string } | undefined;

  constructor(folder: string) {
    this.folder = folder;
  }

  get api(): RunningApi {
    return this.#current.api;
  }

  get token(): string {
    return this.#current.token;
  }

  get #current(): { readonly api: RunningApi; readonly token: string } {
    if (this.#running === undefined) throw new Error("The API was not started.");
    return this.#running;
  }

  async start(limits: Partial<ApiLimits> = {}): Promise<void> {
    const onDefect = (error: unknown): void => void this.defects.push(error);
    const api = await startApi(this.backend, { ...this.files(), limits, onDefect });
    this.#running = { api, token: (await readFile(this.files().tokenFile, "utf8")).trim() };
  }

  async restart(limits: Partial<ApiLimits>): Promise<void> {
    await this.stop();
    await this.start(limits);
  }

  async stop(): Promise<void> {
    await this.#running?.api[Symbol.asyncDispose]();
  }

  files() {
    return { tokenFile: join(this.folder, "token"), addressFile: join(this.folder, "api.json") };
  }

  authorized(): OutgoingHttpHeaders {
    return { authorization: `Bearer ${this.token}` };
  }

  asJson(): OutgoingHttpHeaders {
    return { ...this.authorized(), "content-type": "application/json" };
  }

  ownHost(): string {
    return new URL(this.api.url).host;
  }

  /** The cookie that a link to the page gives. */
  async signIn(): Promise<string> {
    const { pathname, search } = new URL(this.api.pageUrl());
    const answer = await this.call({ path: `${pathname}${search}` });
    return answer.headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
  }

  /** A bare request: fetch would not let a test choose its Host, Origin or Sec-Fetch-Site. */
  async call({ method = "GET", path, headers = {}, body }: Call): Promise<Answer> {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const outgoing = request(`${this.api.url}${path}`, { method, headers, agent: false });
      outgoing.on("error", reject);
      outgoing.on("response", resolve);
      outgoing.end(body);
    });
    const content = await text(answer);
    const isJson = content !== "" && answer.headers["content-type"]?.startsWith("application/json") === true;
    return {
      status: answer.statusCode ?? 0,
      headers: answer.headers,
      text: content,
      json: isJson ? JSON.parse(content) : {},
    };
  }

  /** What is answered to bytes that need not be HTTP. */
  async raw(write: (socket: Socket) => void): Promise<string> {
    const socket = connect(Number(new URL(this.api.url).port), "127.0.0.1");
    write(socket);
    return text(socket);
  }
}

/** One for each test of the file, in a folder of its own. */
export function serveApi(): () => ServedApi {
  let served: ServedApi | undefined;
  const current = (): ServedApi => {
    if (served === undefined) throw new Error("No test runs.");
    return served;
  };
  beforeEach(async () => {
    served = new ServedApi(await mkdtemp(join(tmpdir(), "kirikae-api-")));
    await served.start();
  });
  afterEach(async () => {
    await current().stop();
    await rm(current().folder, { recursive: true, force: true });
  });
  return current;
}
