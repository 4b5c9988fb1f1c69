import type { MadeObject } from "./import-result.ts";

interface Side {
  readonly host: string;
  readonly subset?: string;
}

/** A VirtualService that gives one of two sides everything, and names the other so that it can be moved to. */
export function makeVirtualService(options: {
  readonly name: string;
  readonly namespace: string;
  readonly live: Side;
  readonly next: Side;
}): MadeObject {
  const { name, namespace, live, next } = options;
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name, namespace },
    spec: {
      hosts: [name],
      http: [
        {
          route: [
            { destination: destinationOf(live), weight: 100 },
            { destination: destinationOf(next), weight: 0 },
          ],
        },
      ],
    },
  };
}

function destinationOf({ host, subset }: Side): Readonly<Record<string, string>> {
  return subset === undefined ? { host } : { host, subset };
}
