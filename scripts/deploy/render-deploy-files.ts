import { buildReleaseCrd } from "../../src/core/manifest/schema/build-crd.ts";
import { buildAccessObjects } from "./access-objects.ts";
import { type DeployObject, labels } from "./deploy-object.ts";
import { chartValues, type DeployValues, plainValues } from "./deploy-values.ts";
import { renderChart } from "./render-chart.ts";
import { renderObject } from "./render-objects.ts";
import { buildWebhookObjects } from "./webhook-objects.ts";
import { buildWorkloadObjects } from "./workload-objects.ts";

export interface DeployFile {
  /** Below `deploy/`. */
  readonly path: string;
  readonly text: string;
}

/** Everything in `deploy/` that is generated. */
export function renderDeployFiles(): readonly DeployFile[] {
  return [
    { path: "kirikae.yaml", text: renderPlain() },
    ...renderChart(buildObjects(chartValues), [definition]).map(({ path, text }) => ({
      path: `chart/kirikae/${path}`,
      text: head + text,
    })),
  ];
}

const head = "# Made by `npm run deploy:build`; do not edit.\n";

const definition: DeployObject = { file: "definitions", object: buildReleaseCrd() };

function buildObjects(values: DeployValues): readonly DeployObject[] {
  return [...buildAccessObjects(values), ...buildWorkloadObjects(values), ...buildWebhookObjects(values)];
}

function renderPlain(): string {
  const namespace: DeployObject = {
    file: "namespace",
    object: {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: {
        name: plainValues.namespace,
        labels: { ...labels, "pod-security.kubernetes.io/enforce": "restricted" },
      },
    },
  };
  const objects = [namespace, definition, ...buildObjects(plainValues).filter(({ each }) => each === undefined)];
  return `${head}# kubectl apply --server-side -f kirikae.yaml\n${objects.map((each) => `---\n${renderObject(each)}`).join("")}`;
}
