import { webhookName } from "../../src/kubernetes/needed-access.ts";
import { admissionPath, admissionWebhookName, judgedKinds } from "../../src/webhook/judged-kinds.ts";
import { type DeployObject, labels } from "./deploy-object.ts";
import type { DeployValues } from "./deploy-values.ts";
import { webhookPort } from "./workload-objects.ts";

const when = ".Values.webhook.enabled";

/** The Service before the webhook, and what the API server asks it. */
export function buildWebhookObjects(values: DeployValues): readonly DeployObject[] {
  const { namespace } = values;
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: webhookName, namespace, labels },
    spec: {
      selector: labels,
      ports: [{ name: "webhook", port: 443, targetPort: webhookPort, protocol: "TCP", appProtocol: "https" }],
    },
  };
  return [
    { file: "webhook", when, object: service },
    {
      file: "webhook",
      when,
      comment:
        "The leading replica writes the authority (caBundle) here when it starts. Until then, and where no replica\nanswers, `failurePolicy` decides.",
      object: {
        apiVersion: "admissionregistration.k8s.io/v1",
        kind: "ValidatingWebhookConfiguration",
        metadata: { name: webhookName, labels },
        webhooks: [buildWebhook(values)],
      },
    },
  ];
}

function buildWebhook({ namespace, failurePolicy }: DeployValues): object {
  return {
    name: admissionWebhookName,
    admissionReviewVersions: ["v1"],
    clientConfig: { service: { name: webhookName, namespace, path: admissionPath, port: 443 } },
    failurePolicy,
    // Objects of every version of Istio's groups arrive as v1.
    matchPolicy: "Equivalent",
    sideEffects: "None",
    timeoutSeconds: 3,
    rules: judgedKinds.map(({ group, version, resources }) => ({
      apiGroups: [group],
      apiVersions: [version],
      resources,
      operations: ["CREATE", "UPDATE", "DELETE"],
      scope: "Namespaced",
    })),
    matchConditions: [
      // A way back must not depend on whether anybody answers here.
      {
        name: "not-kirikae",
        expression: `request.userInfo.username != 'system:serviceaccount:${namespace}:kirikae'`,
      },
      // Namespaces are emptied, and what nobody owns is collected, whatever refers to it.
      {
        name: "not-the-cluster-itself",
        expression: "!request.userInfo.username.startsWith('system:serviceaccount:kube-system:')",
      },
    ],
  };
}
