import * as fc from "fast-check";
import { expect, test } from "vitest";
import { reduceDocuments } from "./arbitrary/reduce-documents.ts";
import { simulatedRequests } from "./arbitrary/simulated-request.ts";
import { readConnection } from "./routes-golden/read-connection.ts";
import { readRequest } from "./routes-golden/read-request.ts";
import { writeConnection, writeRequest } from "./routes-golden/write-request.ts";

test("every request that is asked can be written into a golden case", () => {
  fc.assert(
    fc.property(simulatedRequests(), (request) => {
      const line = writeRequest(request);
      expect(line).not.toContain("\n");
      expect(readRequest(line)).toEqual(request);
    }),
  );
});

test("connections can be written into a golden case, with and without TLS", () => {
  const plain = { from: undefined, host: "gateway", port: 9000, isTls: false, serverName: undefined };
  const fromInside = { from: "default/client", host: "db.org", port: 9000, isTls: true, serverName: "db.org" };
  for (const asked of [plain, fromInside]) expect(readConnection(writeConnection(asked))).toEqual(asked);
});

test("documents are reduced to what a claim is about", async () => {
  const documents = [
    { kind: "Gateway", spec: { servers: [{ port: 80 }, { port: 81 }] } },
    {
      kind: "VirtualService",
      metadata: { name: "app" },
      spec: { http: [{ match: [1, 2], fault: 418 }, { route: [] }] },
    },
  ];
  const reduced = await reduceDocuments(documents, async (fewer) => JSON.stringify(fewer).includes('"fault":418'));
  expect(reduced).toEqual([{ spec: { http: [{ fault: 418 }] } }]);
});

test("a claim that needs everything loses nothing, and trials are bounded", async () => {
  const documents = [{ one: 1 }, { two: [2, 3] }];
  const whole = JSON.stringify(documents);
  expect(await reduceDocuments(documents, async (fewer) => JSON.stringify(fewer) === whole)).toEqual(documents);
  let trials = 0;
  await reduceDocuments(documents, async () => (trials += 1) < 0, 3);
  expect(trials).toBe(3);
});
