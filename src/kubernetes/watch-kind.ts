import type { IncomingMessage } from "node:http";
import type { WatchEvent, WatchOptions } from "./kube-api.ts";
import { type KubeConnection, readBody } from "./kube-connection.ts";
import type { KubeKind, KubeObject } from "./kube-object.ts";
import { selectors, withQuery } from "./kube-paths.ts";
import { type ApiStatus, type Attempt, readRefusal, refuse } from "./refusal.ts";
import { readLines } from "./read-lines.ts";

/**
 * The server ends a watch after this, so that load spreads again over API servers; up to twice as long, as client-go
 * does it, so that watches do not end together.
 */
const shortestWatchS = 300;

/** The API server sends a bookmark each minute. Where none has come for three, a proxy between has lost the connection. */
const idleMs = 180_000;

/** Rejects as `KubeApi.watch` says. An end of the connection is an end of the events. */
export async function* watchKind(
  connection: KubeConnection,
  { attempt, signal, ...options }: WatchOptions & { readonly kind: KubeKind; readonly attempt: Attempt },
): AsyncGenerator<WatchEvent> {
  const path = withQuery(attempt.path, {
    ...selectors(options),
    watch: "true",
    allowWatchBookmarks: "true",
    resourceVersion: options.resourceVersion,
    timeoutSeconds: String(Math.round(shortestWatchS * (1 + Math.random()))),
  });
  const ended = new AbortController();
  try {
    const response = await connection.open(path, { signal: AbortSignal.any([signal, ended.signal]), idleMs });
    await expectSuccess(response, attempt);
    options.onOpen?.();
    for await (const line of readLines(response)) yield readEvent(line, attempt);
  } catch (error) {
    signal.throwIfAborted();
    throw connection.unreachable(error);
  } finally {
    // Whoever stops reading ends the connection.
    ended.abort();
  }
}

async function expectSuccess(response: IncomingMessage, attempt: Attempt): Promise<void> {
  const status = response.statusCode ?? 0;
  if (status !== 200) throw readRefusal({ status, body: await readBody(response) }, attempt);
}

type WatchLine =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK"; readonly object: KubeObject }
  | { readonly type: "ERROR"; readonly object: ApiStatus };

function readEvent(line: string, attempt: Attempt): WatchEvent {
  const event: WatchLine = JSON.parse(line);
  switch (event.type) {
    case "ADDED":
      return { kind: "added", object: event.object };
    case "MODIFIED":
      return { kind: "modified", object: event.object };
    case "DELETED":
      return { kind: "deleted", object: event.object };
    case "BOOKMARK":
      return { kind: "bookmark", resourceVersion: event.object.metadata.resourceVersion ?? "" };
    case "ERROR":
      throw refuse(event.object.code ?? 500, event.object, attempt);
  }
}
