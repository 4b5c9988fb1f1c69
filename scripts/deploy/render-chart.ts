import { stringify } from "yaml";
import packageJson from "../../package.json" with { type: "json" };
import type { DeployObject } from "./deploy-object.ts";
import { plainValues } from "./deploy-values.ts";
import { renderObject } from "./render-objects.ts";

export interface ChartFile {
  /** Below the chart's folder. */
  readonly path: string;
  readonly text: string;
}

/** The chart: the objects of the one YAML, with expressions where a value may be chosen. */
export function renderChart(
  objects: readonly DeployObject[],
  definitions: readonly DeployObject[],
): readonly ChartFile[] {
  const names = [...new Set(objects.map(({ file }) => file))];
  return [
    { path: "Chart.yaml", text: renderChartFile() },
    { path: "values.yaml", text: renderValues() },
    ...names.map((name) => ({
      path: `templates/${name}.yaml`,
      text: objects
        .filter(({ file }) => file === name)
        .map(renderTemplate)
        .join(""),
    })),
    // A definition is written in braces of its own here and there.
    { path: "templates/definitions.yaml", text: definitions.map(renderDefinition).join("") },
  ];
}

function renderChartFile(): string {
  return stringify({
    apiVersion: "v2",
    name: "kirikae",
    description: packageJson.description,
    type: "application",
    version: packageJson.version,
    appVersion: packageJson.version,
    kubeVersion: ">=1.30.0-0",
  });
}

function renderTemplate(each: DeployObject): string {
  const text = withExpressions(renderObject(each));
  const listed = each.each === undefined ? text : `{{- range $namespace := ${each.each} }}\n---\n${text}{{- end }}\n`;
  const body = each.each === undefined ? `---\n${listed}` : listed;
  // `range` changes what a dot means, so the values of the top are named by `$`.
  const rooted = each.each === undefined ? body : body.replaceAll("{{ .", "{{ $.");
  return each.when === undefined ? rooted : `{{- if ${each.when} }}\n${rooted}{{- end }}\n`;
}

/** A list item that is an expression alone is a line of Helm's own; what it stands for brings its own dash. */
function withExpressions(text: string): string {
  return text
    .replaceAll(/^ *- "@@- (.*?)@@"$/gmu, (_, inner: string) => `{{- ${unescape(inner)} }}`)
    .replaceAll(/"@@(.*?)@@"/gu, (_, inner: string) => `{{ ${unescape(inner)} }}`)
    .replaceAll(/@@(.*?)@@/gu, (_, inner: string) => `{{ ${inner} }}`);
}

function unescape(quoted: string): string {
  return quoted.replaceAll(String.raw`\"`, '"');
}

function renderDefinition(each: DeployObject): string {
  const kept = {
    ...each.object,
    metadata: { ...each.object.metadata, annotations: { "helm.sh/resource-policy": "keep" } },
  };
  const text = renderObject({ ...each, object: kept }).replaceAll("{{", '{{ "{{" }}');
  return `{{- if .Values.definitions }}\n---\n${text}{{- end }}\n`;
}

function renderValues(): string {
  const { image, imagePullPolicy, replicas, istioNamespace, resources, failurePolicy } = plainValues;
  return [
    part("The image that deploy/Dockerfile makes, wherever it has been pushed to.", { image }),
    part("Always, IfNotPresent or Never.", { imagePullPolicy }),
    part("One works, the others take over within seconds.", { replicas }),
    part("Where istiod and the gateways run.", { istioNamespace }),
    part("The one namespace whose routes kirikae may move and whose Releases it reads; empty means all.", {
      onlyNamespace: "",
    }),
    part("Further arguments of `kirikae controller`, such as --allow-other-namespaces.", { moreArguments: [] }),
    part(
      "Hosts, with or without a port, of the pod's own machine or link that judges and notifications may ask all the same.",
      { allowJudgeHosts: [] },
    ),
    part("Of each replica.", { resources }),
    "# Checks Istio's objects and Releases before they are stored.\nwebhook:\n  enabled: true\n",
    "  # Where nobody can judge in time, Ignore lets objects pass with a warning, Fail refuses them.\n",
    `  failurePolicy: ${failurePolicy}\n\n`,
    "networkPolicy:\n  # Rules for what judges and webhooks of Releases reach, such as a Prometheus.\n  moreEgress: []\n\n",
    part("Whether the chart brings the CustomResourceDefinition; it stays when the chart is taken away.", {
      definitions: true,
    }).trimEnd(),
    "\n",
  ].join("");
}

function part(comment: string, value: object): string {
  return `# ${comment}\n${stringify(value)}\n`;
}
