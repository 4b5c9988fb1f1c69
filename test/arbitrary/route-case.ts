import * as fc from "fast-check";
import type { AskedConnection } from "../../src/cli/explain-connection.ts";
import type { SimulatedRequest } from "../../src/core/routes/simulation.ts";
import { gatewaySpecs } from "./gateway-spec.ts";
import { manifest, meshServices } from "./mesh-services.ts";
import { askedConnections, simulatedRequests } from "./simulated-request.ts";
import { connectionVirtualServices, delegates, httpVirtualServices } from "./virtual-service.ts";

/** A small mesh, and requests and connections that are likely to meet the edges of its rules. */
export interface RouteCase {
  readonly yaml: string;
  readonly requests: readonly SimulatedRequest[];
  readonly connections: readonly AskedConnection[];
}

/**
 * Random manifests with overlapping hosts and every kind of match and action. Timeouts, retries and mirrors are there
 * because they must not change any answer. Faults happen always or never, because a draw cannot be foretold.
 */
export function routeCases(options: {
  /** For each mesh. */
  readonly requests: number;
  readonly connections: number;
}): fc.Arbitrary<RouteCase> {
  return fc
    .record({
      gateways: fc.array(gatewaySpecs(), { minLength: 1, maxLength: 2 }),
      services: meshServices(),
      handedOn: delegates,
      rules: objects("vs", httpVirtualServices, { minLength: 1, maxLength: 6 }),
      connectionRules: objects("cs", connectionVirtualServices, { maxLength: 2 }),
      requests: exactly(simulatedRequests(), options.requests),
      connections: exactly(askedConnections(), options.connections),
    })
    .map(({ gateways, services, handedOn, rules, connectionRules, requests, connections }) => ({
      requests,
      connections,
      yaml: [
        ...gateways.map((spec, index) => manifest("Gateway", { name: `gw${index}` }, spec)),
        ...rules,
        ...connectionRules,
        ...handedOn,
        ...services,
      ]
        .map((object) => JSON.stringify(object))
        .join("\n---\n"),
    }));
}

/** Objects that are named by their number: the order of names decides about the order of rules. */
function objects(
  name: string,
  arbitrary: (name: string) => fc.Arbitrary<object>,
  { minLength = 0, maxLength }: { readonly minLength?: number; readonly maxLength: number },
): fc.Arbitrary<readonly object[]> {
  return fc
    .integer({ min: minLength, max: maxLength })
    .chain((count) => fc.tuple(...Array.from({ length: count }, (_, index) => arbitrary(`${name}${index}`))));
}

function exactly<Item>(item: fc.Arbitrary<Item>, count: number): fc.Arbitrary<Item[]> {
  return fc.array(item, { minLength: count, maxLength: count });
}
