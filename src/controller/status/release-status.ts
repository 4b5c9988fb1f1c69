/** What `kubectl get release -o yaml` shows under `status`; the schema is in `core/manifest/schema/release-status.ts`. */
export interface ReleaseObjectStatus {
  readonly observedGeneration?: number;
  /** In one word, such as `Holding`. */
  readonly phase?: string;
  /** `2/6`. */
  readonly step?: string;
  readonly stepName?: string;
  /** What has been proved to be live, `green 10 %, blue 90 %`. */
  readonly weight?: string;
  readonly message?: string;
  /** ISO 8601, as all times here. */
  readonly startedAt?: string;
  readonly endedAt?: string;
  /** When what it waits for changes by itself. */
  readonly waitsUntil?: string;
  /** Its id in the journal. */
  readonly release?: string;
  readonly from?: string;
  readonly to?: string;
  readonly weights?: readonly RuleWeights[];
  /** The generation of the spec that runs, or has run. */
  readonly startedGeneration?: number;
  /** The generation that was there when it ended. */
  readonly endedGeneration?: number;
  readonly journal?: { readonly records: number; readonly configMaps: readonly string[] };
  readonly lastOrder?: OrderStatus;
  /** Which controller has written this. */
  readonly controller?: string;
  readonly conditions?: readonly Condition[];
}

/** In percent by version. */
interface RuleWeights {
  readonly virtualService: string;
  /** Counts from 0. */
  readonly rule: number;
  readonly route?: string;
  readonly wanted: Readonly<Record<string, number>>;
  /** Absent where the proxies could not be asked, or do not agree. */
  readonly observed?: Readonly<Record<string, number>>;
}

/** What became of the last order by annotation. */
export interface OrderStatus {
  /** As it was written. */
  readonly order: string;
  readonly actor: string;
  readonly reason?: string;
  readonly at: string;
  /** `Taken` until its outcome is known. */
  readonly state: "Taken" | "Accepted" | "Refused";
  readonly message?: string;
}

export type ConditionType = "Ready" | "Progressing" | "Paused" | "Failed" | "Proved" | "SpecChanged";

/** As `metav1.Condition`, so that `kubectl wait` and Argo CD read it. */
export interface Condition {
  readonly type: ConditionType;
  readonly status: "True" | "False" | "Unknown";
  /** One word in CamelCase. */
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration: number;
}
