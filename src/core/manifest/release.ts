/** `kirikae.dev/v1alpha1` Release: which routes move together, from which version to which, and in which steps. */
export interface ReleaseSpec {
  /** All of them move in every step, or none does. At least one. */
  readonly routes: readonly ReleaseRoute[];
  /** The version that has to be live when the release starts; undefined takes whichever is. */
  readonly from: string | undefined;
  /** The version that everything goes to. */
  readonly to: string;
  readonly strategy: ReleaseStrategy;
  /** More failed requests than this, while a step moves weights, take the release back; undefined leaves it to checks. */
  readonly maxFailed: number | undefined;
}

export interface ReleaseRoute {
  readonly namespace: string;
  readonly virtualService: string;
  /** A rule's name or number, where more than one could be meant. */
  readonly route: string | undefined;
}

/** A preset, or the steps themselves; presets mean nothing but steps. */
export type ReleaseStrategy =
  | { readonly kind: "blueGreen"; readonly approve: Approval | undefined; readonly bakeMs: number | undefined }
  | {
      readonly kind: "canary";
      /** Percentages of the new version, rising; the last step to everything follows by itself. */
      readonly weights: readonly number[];
      readonly hold: Hold | undefined;
      /** Done after each weight and its hold. */
      readonly check: Check | undefined;
      /** Asked for before everything moves. */
      readonly approve: Approval | undefined;
    }
  | { readonly kind: "steps"; readonly steps: readonly ReleaseStep[] };

/** The small language that every strategy is written in. */
export type ReleaseStep =
  /** Percentages by version; the versions that are not named keep the rest among them as `shift` does. */
  | { readonly kind: "weight"; readonly shares: Readonly<Record<string, number>> | number }
  | { readonly kind: "switch" }
  | ({ readonly kind: "hold" } & Hold)
  | ({ readonly kind: "approve" } & Approval)
  | ({ readonly kind: "check" } & Check);

/** What the requests of the new version are judged by, as the proxies count them from the beginning of the step. */
export interface Check {
  readonly durationMs: number;
  /** Fewer requests than this, of either version that is looked at, say nothing. */
  readonly minRequests: number;
  /** The least percentage of answers below 500; undefined asks for none. */
  readonly minSuccessPercent: number | undefined;
  /** Whether a success rate that is worse than that of the version before fails, by a statistical test. */
  readonly comparesWithLive: boolean;
}

/** Without a duration it lasts until somebody promotes the release. */
export interface Hold {
  readonly durationMs: number | undefined;
}

export interface Approval {
  /** How many different people have to say yes. */
  readonly people: number;
  /** What they are asked. */
  readonly question: string | undefined;
}
