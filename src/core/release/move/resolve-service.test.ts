import { expect, test } from "vitest";
import { buildMeshModel } from "../../mesh-model.ts";
import { buildRoutedServices } from "./movable-rules.ts";
import { resolveService } from "./resolve-service.ts";

const ingress = `
apiVersion: v1
kind: Service
metadata: { name: app }
spec: { ports: [{ name: http, port: 80 }] }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web, annotations: { kubernetes.io/ingress.class: istio } }
spec:
  rules: [{ host: a.test, http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: app, port: { number: 80 } } } }] } }]
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: gateway }
spec: { selector: { istio: ingressgateway }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ["*"] }] }
`;

const virtualService = `---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: own }
spec: { hosts: [b.test], gateways: [gateway], http: [{ route: [{ destination: { host: app } }] }] }
`;

function resolve(text: string): ReturnType<typeof resolveService> {
  const { table } = buildMeshModel([{ path: "mesh.yaml", text }], { defaultNamespace: "shop" });
  return resolveService(buildRoutedServices(table), { name: "app", namespace: undefined });
}

test("a service that only an Ingress leads to has no weights to move", () => {
  const found = resolve(ingress);
  expect(found).toMatchObject({ kind: "refused", error: { code: "KIR2008" } });
  expect(found.kind === "refused" && found.error.message).toBe(
    "Only Ingress shop/web leads to app, and an Ingress has no weights.",
  );
});

test("an Ingress does not keep a VirtualService for the same service from being found", () => {
  expect(resolve(ingress + virtualService)).toMatchObject({ kind: "service", service: { virtualService: "shop/own" } });
});
