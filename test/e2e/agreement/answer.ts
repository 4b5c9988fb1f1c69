import type { SimulatedRequest } from "../../../src/core/routes/simulation.ts";

export type Headers = SimulatedRequest["headers"];

/** What a client can see of an answer, and for a forwarded request what its upstream saw. */
export interface Answer {
  /** 0 where the connection ended without an answer. */
  readonly status: number;
  readonly location?: string | undefined;
  readonly body: string;
  readonly upstream?: string;
  readonly target?: string;
  readonly authority?: string;
  /** Of the headers that are compared. */
  readonly answerHeaders: Headers;
  readonly requestHeaders?: Headers;
  /** The name in the certificate that the proxy showed, or the upstream behind it. */
  readonly shown?: string | undefined;
}

/** Reads an answer of HTTP/1.1; an empty text is a connection that was closed. */
export function parseAnswer(text: string): Answer {
  const [head = "", ...rest] = text.split("\r\n\r\n");
  const [statusLine = "", ...lines] = head.split("\r\n");
  const answerHeaders = lines.map((line): Headers[number] => [
    line.slice(0, line.indexOf(":")).toLowerCase(),
    line.slice(line.indexOf(":") + 2),
  ]);
  const headers = new Map(answerHeaders);
  const seen = headers.get("x-seen");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- echo-upstreams.ts has written it.
  const upstream = seen === undefined ? {} : (JSON.parse(Buffer.from(seen, "base64").toString()) as Partial<Answer>);
  return {
    status: Number(statusLine.split(" ")[1] ?? 0),
    location: headers.get("location"),
    body: rest.join("\r\n\r\n"),
    answerHeaders,
    ...upstream,
  };
}
