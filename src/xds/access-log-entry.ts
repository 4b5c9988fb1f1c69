import { BinaryReader } from "@bufbuild/protobuf/wire";
import { probeAgent } from "./probe-agent.ts";

/** What the ledger needs of one record of Envoy's access log. Times in ms since the epoch, with fractions. */
export interface AccessLogEntry {
  readonly startMs: number;
  /** When the last byte of the answer went to the client, or the request ended without one. */
  readonly endMs: number;
  readonly cluster: string;
  readonly routeName: string;
  /** The name that was asked for, and path and query; empty where a route took the request, because then it says more. */
  readonly authority: string;
  readonly path: string;
  /** Whether this process has sent it by itself, as a probe. */
  readonly isProbe: boolean;
  /** 0 when no answer was sent. */
  readonly status: number;
  /** Field numbers of `envoy.data.accesslog.v3.ResponseFlags` that are set. */
  readonly flags: readonly number[];
  /** Envoy's reason in its own words, such as `via_upstream`. */
  readonly details: string;
}

/**
 * Reads the entries of an encoded `StreamAccessLogsMessage`. Only these few fields are read, because at tens of thousands
 * of requests a second the full decoding costs more than Envoy's own work.
 */
export function parseAccessLogs(message: Uint8Array): readonly AccessLogEntry[] {
  const entries: AccessLogEntry[] = [];
  eachField(new BinaryReader(message), (number, reader) => {
    if (number !== fields.message.httpLogs) return false;
    eachField(new BinaryReader(reader.bytes()), (inner, innerReader) => {
      if (inner !== fields.httpLogs.entry) return false;
      entries.push(parseEntry(innerReader.bytes()));
      return true;
    });
    return true;
  });
  return entries;
}

/** Field numbers of Envoy's API: service/accesslog/v3/als.proto and data/accesslog/v3/accesslog.proto. */
const fields = {
  message: { httpLogs: 2 },
  httpLogs: { entry: 1 },
  entry: { common: 1, request: 3, response: 4 },
  common: { startTime: 5, lastDownstreamByte: 12, cluster: 15, flags: 16, routeName: 19, duration: 23 },
  request: { authority: 3, path: 5, userAgent: 6 },
  response: { code: 1, details: 6 },
  unauthorizedDetails: 13,
} as const;

type Draft = { -readonly [Key in keyof AccessLogEntry]: AccessLogEntry[Key] } & {
  lastByteMs: number | undefined;
  durationMs: number;
};

function parseEntry(bytes: Uint8Array): AccessLogEntry {
  const draft: Draft = {
    startMs: 0,
    endMs: 0,
    cluster: "",
    routeName: "",
    authority: "",
    path: "",
    isProbe: false,
    status: 0,
    flags: [],
    details: "",
    lastByteMs: undefined,
    durationMs: 0,
  };
  eachField(new BinaryReader(bytes), (number, reader) => {
    if (number === fields.entry.common) eachField(new BinaryReader(reader.bytes()), (n, r) => readCommon(draft, n, r));
    else if (number === fields.entry.response) {
      eachField(new BinaryReader(reader.bytes()), (n, r) => readResponse(draft, n, r));
    } else if (number === fields.entry.request) {
      eachField(new BinaryReader(reader.bytes()), (n, r) => readRequest(draft, n, r));
    } else return false;
    return true;
  });
  const { lastByteMs, durationMs, ...entry } = draft;
  return { ...entry, endMs: entry.startMs + (lastByteMs ?? durationMs) };
}

function readCommon(draft: Draft, number: number, reader: BinaryReader): boolean {
  switch (number) {
    case fields.common.startTime:
      draft.startMs = readSecondsAndNanos(reader);
      return true;
    case fields.common.lastDownstreamByte:
      draft.lastByteMs = readSecondsAndNanos(reader);
      return true;
    case fields.common.duration:
      draft.durationMs = readSecondsAndNanos(reader);
      return true;
    case fields.common.cluster:
      draft.cluster = reader.string();
      return true;
    case fields.common.routeName:
      draft.routeName = reader.string();
      return true;
    case fields.common.flags:
      draft.flags = readFlags(reader);
      return true;
    default:
      return false;
  }
}

function readRequest(draft: Draft, number: number, reader: BinaryReader): boolean {
  switch (number) {
    case fields.request.authority:
      if (draft.routeName !== "") return false;
      draft.authority = reader.string();
      return true;
    case fields.request.path:
      if (draft.routeName !== "") return false;
      draft.path = reader.string();
      return true;
    case fields.request.userAgent:
      draft.isProbe = reader.string() === probeAgent;
      return true;
    default:
      return false;
  }
}

function readResponse(draft: Draft, number: number, reader: BinaryReader): boolean {
  switch (number) {
    case fields.response.code:
      eachField(new BinaryReader(reader.bytes()), (inner, innerReader) => {
        if (inner !== 1) return false;
        draft.status = innerReader.uint32();
        return true;
      });
      return true;
    case fields.response.details:
      draft.details = reader.string();
      return true;
    default:
      return false;
  }
}

function readFlags(reader: BinaryReader): number[] {
  const flags: number[] = [];
  eachField(new BinaryReader(reader.bytes()), (number, inner) => {
    if (number === fields.unauthorizedDetails) {
      flags.push(number);
      return false;
    }
    if (inner.bool()) flags.push(number);
    return true;
  });
  return flags;
}

/** Timestamp and Duration have the same two fields. @returns milliseconds */
function readSecondsAndNanos(reader: BinaryReader): number {
  let ms = 0;
  eachField(new BinaryReader(reader.bytes()), (number, inner) => {
    if (number === 1) ms += Number(inner.int64()) * 1000;
    else if (number === 2) ms += inner.int32() / 1e6;
    else return false;
    return true;
  });
  return ms;
}

/** Calls `read` for every field; one that it does not read (false) is skipped. */
function eachField(reader: BinaryReader, read: (number: number, reader: BinaryReader) => boolean): void {
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (!read(number, reader)) reader.skip(wireType, number);
  }
}
