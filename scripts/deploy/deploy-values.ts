import packageJson from "../../package.json" with { type: "json" };

/** What differs between the one YAML, where it is a value, and the chart, where it is an expression over values. */
export interface DeployValues {
  /** Where kirikae runs. */
  readonly namespace: string;
  /** Where istiod and the gateways run. */
  readonly istioNamespace: string;
  readonly image: string;
  readonly imagePullPolicy: string;
  readonly replicas: number | string;
  readonly resources: unknown;
  /** What the API server does when the webhook does not answer. */
  readonly failurePolicy: string;
  /** Rules beyond those that kirikae cannot do without. */
  readonly moreEgress: readonly unknown[];
  /** Arguments that not every installation has, with the lines of Helm's own around them. */
  readonly arguments: readonly string[];
}

const resources = {
  requests: { cpu: "50m", memory: "128Mi" },
  limits: { memory: "300Mi" },
} as const;

/** Those of deploy/kirikae.yaml. */
export const plainValues: DeployValues = {
  namespace: "kirikae-system",
  istioNamespace: "istio-system",
  image: `kirikae:${packageJson.version}`,
  imagePullPolicy: "IfNotPresent",
  replicas: 2,
  resources,
  failurePolicy: "Ignore",
  moreEgress: [],
  arguments: ["--webhook-port=8443", "--webhook-failure=open"],
};

/** Marks an expression of Helm in an object, until it is text. */
export function expression(text: string): string {
  return `@@${text}@@`;
}

/** Those of the chart: expressions over its values.yaml. */
export const chartValues: DeployValues = {
  namespace: expression(".Release.Namespace"),
  istioNamespace: expression(".Values.istioNamespace"),
  image: expression(".Values.image | quote"),
  imagePullPolicy: expression(".Values.imagePullPolicy"),
  replicas: expression(".Values.replicas"),
  resources: expression("toYaml .Values.resources | nindent 12"),
  failurePolicy: expression(".Values.webhook.failurePolicy"),
  moreEgress: [expression("- with .Values.networkPolicy.moreEgress }}{{ toYaml . | nindent 4 }}{{ end")],
  arguments: [
    expression("- with .Values.onlyNamespace"),
    `--namespace=${expression(".")}`,
    expression("- end"),
    expression("- if .Values.webhook.enabled"),
    "--webhook-port=8443",
    `--webhook-failure=${expression('ternary "closed" "open" (eq .Values.webhook.failurePolicy "Fail")')}`,
    expression("- end"),
    expression("- range .Values.allowJudgeHosts"),
    `--allow-judge-host=${expression(".")}`,
    expression("- end"),
    expression("- range .Values.moreArguments"),
    expression(". | quote"),
    expression("- end"),
  ],
};
