import { lenientList, transform } from "../decode/collections.ts";
import { type Decoder, report } from "../decode/decoder.ts";
import { object, optional, withDefault } from "../decode/object.ts";
import { string } from "../decode/scalars.ts";
import type { KubernetesGatewaySpec } from "../kubernetes-gateway.ts";

const listener = object({ fields: { hostname: optional(string) }, others: "ignore" });

/** `gateway.networking.k8s.io` Gateway, so that a VirtualService that is bound to it is not taken for a mistake. */
export const decodeKubernetesGateway: Decoder<KubernetesGatewaySpec> = transform(
  object({ fields: { listeners: withDefault(lenientList(listener), []) }, others: "ignore" }),
  ({ listeners }, place, context) => {
    report(place, context, {
      code: "KIR1009",
      message: "A Gateway of the Kubernetes Gateway API is not served; VirtualServices are checked against its hosts.",
    });
    const isOpen = listeners.some(({ hostname }) => (hostname ?? "") === "");
    return { hosts: isOpen ? [] : listeners.flatMap(({ hostname }) => hostname ?? []) };
  },
);
