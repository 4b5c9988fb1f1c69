import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { findChain, findGateway, type LiveAnswer, type LiveQuestion } from "./ask-live.ts";
import type { AskedConnection } from "./explain-connection.ts";
import { notAsked, splitAddress, whyEnded } from "./probe-envoy.ts";
import { usageError } from "./usage-error.ts";

/** Envoy closes at once where it has nowhere to carry bytes to; a connection that lasts this long has a destination. */
const settledAfterMs = 1_000;

/**
 * Opens the connection at the running Envoy and looks whether it lasts. The app that it leads to sees it, so it has to be
 * allowed. Which share was drawn cannot be seen from outside.
 * @throws KirikaeError KIR5057 where it is not allowed, and for a caller inside the mesh, exit status 2; KIR5063 when
 * nothing answers, exit status 3
 */
export async function askLiveConnection(
  question: Omit<LiveQuestion, "request">,
  asked: AskedConnection,
): Promise<LiveAnswer> {
  if (asked.from !== undefined) {
    throw usageError("--live asks about connections at a gateway, not about those of a workload.");
  }
  if (!question.maySend) {
    throw usageError("--live would open the connection, and the app behind it sees that.", "Add --send to allow it.");
  }
  const { answer, table, status, certificate } = question;
  const { address } = findGateway({ status, chain: findChain(table, answer), port: asked.port });
  const tls: ConnectionOptions | undefined = asked.isTls
    ? { ...certificate, servername: asked.serverName ?? "", rejectUnauthorized: false }
    : undefined;
  const expectsEnd = answer.outcome === "reset" || answer.flag !== null;
  const ended = await observeConnection(address, { tls, speaksFirst: expectsEnd && tls === undefined });
  return {
    agrees: expectsEnd === (ended !== null),
    address,
    route: null,
    cluster: null,
    status: null,
    location: null,
    ended,
    carries: ended === null,
    differences: compare(expectsEnd, ended),
  };
}

function compare(expectsEnd: boolean, ended: string | null): readonly string[] {
  if (expectsEnd === (ended !== null)) return [];
  return ended === null
    ? ["Envoy keeps the connection open, and the manifests say that it ends"]
    : [`Envoy ends the connection (${ended}), and the manifests have a destination for it`];
}

interface Manner {
  readonly tls: ConnectionOptions | undefined;
  /** A port that speaks TLS waits for as much as a record's header before it turns a plain client away. */
  readonly speaksFirst: boolean;
}

/** Why the connection ended, or null where it lasts or brings bytes. */
function observeConnection(address: string, { tls, speaksFirst }: Manner): Promise<string | null> {
  const place = splitAddress(address);
  return new Promise((resolve, reject) => {
    const socket: Socket = tls === undefined ? connectTcp(place) : connectTls({ ...place, ...tls });
    let isOpen = false;
    const settle = (ended: string | null): void => {
      socket.destroy();
      resolve(ended);
    };
    socket.setTimeout(settledAfterMs, () =>
      isOpen ? settle(null) : socket.destroy(notAsked({ address }, "the handshake got no answer")),
    );
    socket.once(tls === undefined ? "connect" : "secureConnect", () => {
      isOpen = true;
      if (speaksFirst) socket.write("\r\n\r\n\r\n");
    });
    socket.once("data", () => settle(null));
    socket.once("end", () => settle("it was closed"));
    socket.once("error", (error) => {
      const ended = whyEnded(error);
      if (ended === undefined) reject(error instanceof TypeError ? error : notAsked({ address }, error.message, error));
      else settle(ended);
    });
  });
}
