import type { StringMatch } from "./virtual-service.ts";

/** `kirikae.dev/v1alpha1` Release: which routes move together, from which version to which, and in which steps. */
export interface ReleaseSpec {
  /** All of them move in every step, or none does. At least one. */
  readonly routes: readonly ReleaseRoute[];
  /** The version that has to be live when the release starts; undefined takes whichever is. */
  readonly from: string | undefined;
  /** The version that everything goes to. */
  readonly to: string;
  readonly strategy: ReleaseStrategy;
  /** Keeps each visitor on one version while weights move, as cohorts always do; undefined draws anew for each request. */
  readonly sessionAffinity: SessionAffinity | undefined;
  /** More failed requests than this, while a step moves weights, take the release back; undefined leaves it to checks. */
  readonly maxFailed: number | undefined;
  /** Requests that kirikae sends by itself while a step moves weights; undefined sends none. */
  readonly probes: Probes | undefined;
  /** When no step may begin that gives the new version more; the way back is always open. */
  readonly freezes: readonly Freeze[];
  /** How long it may take from its start to its end; undefined sets no limit. */
  readonly maxDuration: MaxDuration | undefined;
  /** How it is taken back; undefined is with respect for capacity. */
  readonly wayBack?: WayBackRules | undefined;
  readonly notifications: readonly Notification[];
  /** Field managers whose weights may be taken over on a site; absent takes none over. */
  readonly takeOver?: readonly string[] | undefined;
  /** When a step is proved on a site; absent waits for every proxy, as long as moves without a release may. */
  readonly proof?: ProofRules | undefined;
  /** What becomes of its weights when its object is deleted while it runs; absent leaves them. A controller asks. */
  readonly whenDeleted?: WhenDeleted | undefined;
  /** What it changes in DestinationRules: made before the weights that need it, removed after the last. */
  readonly subsets?: readonly SubsetChange[] | undefined;
  /** Clusters that it moves in one go; absent is the one that it is started for. */
  readonly sites?: ReleaseSites | undefined;
}

/** What becomes of a proxy that cannot be reached and that nobody speaks for. */
export type UnreachableProxies = "wait" | "goOn";

export interface ProofRules {
  readonly unreachable: UnreachableProxies;
  /** How long the proxies of a step may take; undefined as long as moves without a release may. */
  readonly timeoutMs: number | undefined;
}

type WhenDeleted = "restore" | "leave";

/** Of one DestinationRule. At least one subset is added or removed, and none is both. */
export interface SubsetChange {
  readonly namespace: string;
  readonly destinationRule: string;
  readonly add: readonly AddedSubset[];
  /** Names. */
  readonly remove: readonly string[];
}

export interface AddedSubset {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface ReleaseSites {
  /** Names of kubeconfig contexts, each once, in the order in which they move one after the other. */
  readonly contexts: readonly string[];
  readonly order: "together" | "oneAfterTheOther";
}

export interface WayBackRules {
  /**
   * `respect` gives the version before no more than its ready endpoints can take; `ignore` gives it everything as soon
   * as one of them is ready.
   */
  readonly capacity: "respect" | "ignore";
}

export interface ReleaseRoute {
  readonly namespace: string;
  readonly virtualService: string;
  /** A rule's name or number, where more than one could be meant. */
  readonly route: string | undefined;
  /** `namespace/name` of the delegate whose rules alone are meant; filled in when the release is planned. */
  readonly delegate?: string | undefined;
}

/** A preset, or the steps themselves; presets mean nothing but steps. */
export type ReleaseStrategy =
  | ({ readonly kind: "blueGreen"; readonly preview: Preview | undefined; readonly bake: Bake | undefined } & Gates)
  | ({
      readonly kind: "canary";
      /** Percentages of the new version, rising; the last step to everything follows by itself. */
      readonly weights: readonly number[];
    } & Gates)
  /** Those who match see the new version, everybody else the one before, until everything moves. */
  | ({ readonly kind: "abTest"; readonly preview: Preview } & Gates)
  /** Copies of live requests first, then weights as in a canary. */
  | ({ readonly kind: "mirrorFirst"; readonly mirror: Mirroring; readonly weights: readonly number[] } & Gates)
  /** A ladder: each cohort joins those before it. */
  | ({ readonly kind: "cohorts"; readonly cohorts: readonly Cohort[] } & Gates)
  | { readonly kind: "steps"; readonly steps: readonly ReleaseStep[] };

/** What a preset waits for after each of its stages, and before everything moves. */
export interface Gates {
  readonly hold: Hold | undefined;
  /** Done after each stage and its hold. */
  readonly check: Check | undefined;
  /** Asked for before everything moves. */
  readonly approve: Approval | undefined;
}

export type Cohort = { readonly name: string } & (
  | { readonly kind: "match"; readonly preview: Preview }
  | { readonly kind: "weight"; readonly percent: number }
);

/** The small language that every strategy is written in. */
export type ReleaseStep =
  /** Requests with one of these marks go to the new version, whatever the weights are, until `finish`. */
  | ({ readonly kind: "preview" } & Preview)
  /** Copies of requests go to the new version, whose answers nobody waits for; 0 percent ends it. */
  | ({ readonly kind: "mirror" } & Mirroring)
  /** Each visitor stays on one version while weights move, until `finish`. */
  | ({ readonly kind: "affinity" } & SessionAffinity)
  /** Percentages by version; the others have the rest, as `shift` divides it. */
  | { readonly kind: "weight"; readonly shares: Readonly<Record<string, number>> | number }
  | { readonly kind: "switch" }
  | ({ readonly kind: "hold" } & Hold)
  | ({ readonly kind: "approve" } & Approval)
  | ({ readonly kind: "check" } & Check)
  /** A check after everything has moved, while the version before is still there. */
  | ({ readonly kind: "bake" } & Bake)
  /** Takes away the routes that the steps before have added. */
  | { readonly kind: "finish" };

/** Conditions of one entry are AND-ed; entries are OR-ed. At least one. */
export interface Preview {
  /** What tells this preview from others of the release. */
  readonly name: string;
  readonly match: readonly PreviewMatch[];
}

/** At least one condition. */
export interface PreviewMatch {
  /** Keys in lower case. */
  readonly headers: Readonly<Record<string, StringMatch>>;
  readonly cookies: Readonly<Record<string, StringMatch>>;
  readonly queryParams: Readonly<Record<string, StringMatch>>;
}

export interface Mirroring {
  readonly percent: number;
  /** Upper case. Requests of other methods are never copied. */
  readonly methods: readonly string[];
  /** Undefined compares nothing: copies go straight to the new version. */
  readonly compare: AnswerComparison | undefined;
}

/** How the answers of both versions to one request are compared: always the status, and what is named here. */
export interface AnswerComparison {
  /** Lower case. */
  readonly headers: readonly string[];
  readonly body: boolean;
  /** Members of JSON bodies that do not count, as `a.b` from the top; `*` stands for any one name or index. */
  readonly ignoredFields: readonly string[];
}

export interface SessionAffinity {
  readonly cookie: string;
  readonly maxAgeMs: number;
}

/** The name tells nobody which version a visitor has. */
export const defaultAffinity: SessionAffinity = { cookie: "kirikae-visitor", maxAgeMs: 86_400_000 };

/** What the requests of the new version are judged by, from the beginning of the step. */
export interface Check {
  /** How long it counts, after `initialDelayMs`. */
  readonly durationMs: number;
  readonly initialDelayMs: number;
  /** Fewer requests than this, of either version that is looked at, say nothing. */
  readonly minRequests: number;
  /** The least percentage of answers below 500; undefined asks for none. */
  readonly minSuccessPercent: number | undefined;
  /** Whether a success rate that is worse than that of the version before fails, by a statistical test. */
  readonly comparesWithLive: boolean;
  readonly latency: readonly LatencyLimit[];
  /** More endpoints of the new version that a proxy took out of rotation than this fail; undefined lets any. */
  readonly maxEjections: number | undefined;
  /** More answers of copied requests that differ than this, in percent, fail; undefined lets any. */
  readonly maxDifferentPercent: number | undefined;
  readonly judges: readonly ExternalJudge[];
  /** What it finds is told and changes nothing. */
  readonly isDryRun: boolean;
}

/** At least one of the two limits. */
export interface LatencyLimit {
  /** Above 0 and below 100, such as 99 or 99.9. */
  readonly percentile: number;
  readonly maxMs: number | undefined;
  /** Times that of the version before, such as 1.2. */
  readonly maxTimesLive: number | undefined;
}

/** A judge that is asked again and again while the check runs. */
export interface ExternalJudge {
  readonly name: string;
  readonly intervalMs: number;
  readonly initialDelayMs: number;
  /** Asked this often; undefined until the check's time is over. */
  readonly count: number | undefined;
  /** More answers of "no" than this fail the check. */
  readonly failureLimit: number;
  /** More answers that say nothing than this make the check's verdict unknown. */
  readonly inconclusiveLimit: number;
  readonly timeoutMs: number;
  readonly isDryRun: boolean;
  readonly ask: JudgeQuestion;
}

export type JudgeQuestion =
  | {
      readonly kind: "prometheus";
      readonly address: string;
      /** PromQL with `{{name}}` templates. */
      readonly query: string;
      /** Undefined asks for the value of now. */
      readonly range: { readonly durationMs: number; readonly stepMs: number } | undefined;
      readonly authentication: Authentication | undefined;
      readonly headers: Readonly<Record<string, string>>;
      /** Compared with every value that comes back; all must hold to pass. */
      readonly success: Condition;
    }
  | {
      readonly kind: "http";
      readonly url: string;
      readonly method: "GET" | "POST" | "PUT";
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string | undefined;
      readonly authentication: Authentication | undefined;
      /** A JSON member, as `a.b.0`, that is compared; without it the status decides, 2xx is a yes. */
      readonly value: { readonly path: string; readonly success: Condition } | undefined;
    }
  /** Exit status 0 is a yes, 75 (EX_TEMPFAIL) says nothing, all others are a no. */
  | { readonly kind: "command"; readonly command: readonly string[] };

/** Secrets are named, never written: the value is read from a file or a variable of the environment of `up`. */
export type Authentication =
  | { readonly kind: "bearer"; readonly token: SecretSource }
  | { readonly kind: "basic"; readonly username: string; readonly password: SecretSource };

export type SecretSource =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "environment"; readonly name: string };

/** What a text of a judge may name as `{{to}}`; `duration` is that of the check, as PromQL writes it. */
export type TemplateName = "release" | "namespace" | "name" | "to" | "from" | "service" | "host" | "duration";

export interface Condition {
  readonly operator: "<" | "<=" | ">" | ">=" | "==" | "!=";
  readonly value: number;
}

export interface Bake {
  readonly durationMs: number;
  /** What is judged meanwhile; undefined only waits. */
  readonly check: Check | undefined;
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
  /** How long a yes counts where others are still missing; undefined for ever. */
  readonly expiresMs: number | undefined;
  /** Whether who started the release may be one of them. */
  readonly letsStarterApprove: boolean;
}

/** From each time of the cron expression on, for so long. */
export interface Freeze {
  readonly cron: string;
  readonly durationMs: number;
  /** IANA, such as `Asia/Tokyo`. */
  readonly timeZone: string;
  readonly reason: string | undefined;
}

export interface MaxDuration {
  readonly durationMs: number;
  /** What follows; `then` in a Release. */
  readonly action: "rollback" | "pause";
}

/** `log` writes lines to what `up` prints. */
export type Notification =
  | { readonly kind: "log" }
  | {
      readonly kind: "webhook";
      readonly url: string;
      /** Signs each body with HMAC-SHA-256; undefined sends it unsigned. */
      readonly secret: SecretSource | undefined;
      /** Empty tells of everything. */
      readonly events: readonly NotifiedEvent[];
    };

export type NotifiedEvent =
  | "started"
  | "step"
  | "waiting"
  | "paused"
  | "failed"
  | "rollingBack"
  | "rolledBack"
  | "aborted"
  | "done";

export interface Probes {
  readonly perSecond: number;
  /** Empty asks every host and path that the rules of the release name. */
  readonly requests: readonly ProbeRequest[];
}

export interface ProbeRequest {
  readonly host: string;
  readonly path: string;
  readonly method: "GET" | "HEAD";
}
