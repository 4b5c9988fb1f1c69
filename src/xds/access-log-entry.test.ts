import { create, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { StreamAccessLogsMessageSchema } from "../gen/envoy/service/accesslog/v3/als_pb.ts";
import { parseAccessLogs } from "./access-log-entry.ts";
import { probeAgent } from "./probe-agent.ts";

const message = create(StreamAccessLogsMessageSchema, {
  identifier: { logName: "kirikae", node: { id: "envoy-1" } },
  logEntries: {
    case: "httpLogs",
    value: {
      logEntry: [
        {
          commonProperties: {
            sampleRate: 1,
            startTime: { seconds: 1_800_000_000n, nanos: 250_500_000 },
            timeToLastDownstreamTxByte: { seconds: 1n, nanos: 500_000 },
            duration: { seconds: 9n },
            upstreamCluster: "outbound|80|blue|app",
            routeName: "test/app/public",
            responseFlags: { upstreamConnectionTermination: true, downstreamRemoteReset: true },
            customTags: { any: "tag" },
          },
          request: { authority: "app.test", path: "/", userAgent: probeAgent },
          response: { responseCode: 503, responseCodeDetails: "upstream_reset" },
        },
        {
          commonProperties: { startTime: { seconds: 5n }, duration: { nanos: 2_000_000 } },
          request: { authority: "app.test:8080", path: "/lost?a=b", userAgent: "kirikae-probe/0" },
        },
      ],
    },
  },
});

test("the few fields that the ledger needs are read from what the full encoder writes", () => {
  expect(parseAccessLogs(toBinary(StreamAccessLogsMessageSchema, message))).toEqual([
    {
      startMs: 1_800_000_000_250.5,
      endMs: 1_800_000_001_251,
      cluster: "outbound|80|blue|app",
      routeName: "test/app/public",
      authority: "",
      path: "",
      isProbe: true,
      status: 503,
      flags: [7, 28],
      details: "upstream_reset",
    },
    {
      startMs: 5000,
      endMs: 5002,
      cluster: "",
      routeName: "",
      authority: "app.test:8080",
      path: "/lost?a=b",
      isProbe: false,
      status: 0,
      flags: [],
      details: "",
    },
  ]);
});

test("an empty message has no entries", () => {
  expect(parseAccessLogs(new Uint8Array())).toEqual([]);
});
