/** An object of an installation, for the one YAML and for the chart. */
export interface DeployObject {
  /** The chart's template that holds it, without its ending. */
  readonly file: string;
  /** Said before it. */
  readonly comment?: string;
  readonly object: KubernetesObject;
  /** A condition of Helm's without which the chart leaves it out. */
  readonly when?: string;
  /** A list of the chart's values, for each of which there is one; such an object is in the chart alone. */
  readonly each?: string;
  /** One for each of its `rules`, where it has any. */
  readonly ruleComments?: readonly string[];
}

/** Any object; what else it has is written as it is. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: object;
  readonly spec?: unknown;
  readonly rules?: readonly object[];
  readonly roleRef?: object;
  readonly subjects?: readonly object[];
  readonly webhooks?: readonly object[];
  readonly automountServiceAccountToken?: boolean;
}

export const labels = { "app.kubernetes.io/name": "kirikae" } as const;
