import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  type DeltaDiscoveryRequest,
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryResponse,
} from "../gen/envoy/service/discovery/v3/discovery_pb.ts";
import { AdsStream } from "./ads-stream.ts";
import { type ResourceType, typeUrls } from "./resource-types.ts";
import { buildResources, emptySnapshot, type ResourcesByName, type Snapshot } from "./snapshot.ts";

function resources(content: Readonly<Record<string, string>>): ResourcesByName {
  return buildResources(new Map(Object.entries(content).map(([name, text]) => [name, Buffer.from(text)])));
}

function versions(from: ResourcesByName): Record<string, string> {
  return Object.fromEntries([...from].map(([name, { version }]) => [name, version]));
}

const listeners = resources({ gateway: "listener" });
const before = { clusters: resources({ old: "1", kept: "1" }), routes: resources({ gateway: "to old and kept" }) };
const after: Snapshot = {
  ...emptySnapshot,
  listeners,
  clusters: resources({ kept: "1" }),
  endpoints: resources({}),
  routes: resources({ gateway: "to kept" }),
  withholdsRemovals: false,
};

/** A proxy that comes back with what it had, and asks for all of it at once. */
function reconnect(): { stream: AdsStream; sent: AsyncGenerator<DeltaDiscoveryResponse> } {
  const stream = new AdsStream({ node: "n", snapshot: () => after, onTaken: () => {}, onSent: () => {} });
  stream.take(request("clusters", { initialResourceVersions: versions(before.clusters) }));
  stream.take(request("listeners", { initialResourceVersions: versions(listeners) }));
  const names = { resourceNamesSubscribe: ["gateway"] };
  stream.take(request("routes", { ...names, initialResourceVersions: versions(before.routes) }));
  return { stream, sent: stream.responses() };
}

function request(
  type: ResourceType,
  init: MessageInitShape<typeof DeltaDiscoveryRequestSchema>,
): DeltaDiscoveryRequest {
  return create(DeltaDiscoveryRequestSchema, { ...init, typeUrl: typeUrls[type] });
}

async function next(sent: AsyncGenerator<DeltaDiscoveryResponse>): Promise<DeltaDiscoveryResponse | undefined> {
  const result = await sent.next();
  return result.done === true ? undefined : result.value;
}

test("a proxy that comes back with old routes loses the clusters that they use only after it has the new ones", async () => {
  const { stream, sent } = reconnect();
  const first = await next(sent);
  expect(first).toMatchObject({ typeUrl: typeUrls.routes, removedResources: [] });
  stream.take(request("routes", { responseNonce: first?.nonce ?? "" }));
  expect(await next(sent)).toMatchObject({ typeUrl: typeUrls.clusters, removedResources: ["old"] });
});

test("a proxy that refuses the new routes keeps the clusters of the old ones, whatever time passes", async () => {
  const { stream, sent } = reconnect();
  const first = await next(sent);
  const errorDetail = { code: 3, message: "no" };
  stream.take(request("routes", { responseNonce: first?.nonce ?? "", errorDetail }));
  const second = next(sent);
  stream.close();
  expect(await second).toBeUndefined();
  // The stream is what waits, so that nobody who asks takes it for behind.
  expect(stream.sendOptions(after, "clusters")).toEqual({ withholdsRemovals: true });
  expect(stream.sendOptions(after, "routes")).toEqual({ withholdsRemovals: false });
});
