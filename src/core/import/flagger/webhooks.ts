import type { ExternalJudge, Notification, ReleaseStep } from "../../manifest/release.ts";
import { readDurationMs } from "../duration-text.ts";
import type { InputField } from "../field-ledger.ts";
import type { Importing } from "../import-result.ts";
import { readHttpUrl } from "../read-http-url.ts";
import { approval, emptyCheck, singleJudge, withOwnNames } from "../release-parts.ts";
import { roundsOf } from "./metrics.ts";

/** What webhooks do, by the place that they have in a release. */
export interface ImportedWebhooks {
  /** Before the first step. */
  readonly start: readonly ReleaseStep[];
  /** Asked within each stage. */
  readonly judges: readonly ExternalJudge[];
  /** Before each weight. */
  readonly increase: readonly ReleaseStep[];
  /** Before everything moves. */
  readonly promotion: readonly ReleaseStep[];
  /** After everything has moved. */
  readonly end: readonly ReleaseStep[];
  readonly notifications: readonly Notification[];
}

interface WebhookReading {
  readonly importing: Importing;
  readonly intervalMs: number;
  readonly threshold: number;
}

interface Webhook {
  readonly field: InputField;
  readonly type: string;
  readonly name: string;
  readonly judge: ExternalJudge | undefined;
  readonly url: string | undefined;
}

/** Reads `webhooks` of an analysis. */
export function readWebhooks(list: InputField, reading: WebhookReading): ImportedWebhooks {
  const hooks = list.items().map((hook) => readWebhook(hook, reading));
  const ofType = (type: string): readonly Webhook[] => hooks.filter((hook) => hook.type === type);
  for (const { field, type } of hooks) noteType(field, type);
  const judgesOf = (type: string): readonly ExternalJudge[] =>
    withOwnNames(ofType(type).flatMap(({ judge }) => judge ?? []));
  const once = (type: string): readonly ReleaseStep[] => {
    const judges = judgesOf(type);
    return judges.length === 0 ? [] : [{ kind: "check", ...emptyCheck(longest(judges)), judges }];
  };
  return {
    start: [...approvalsOf(ofType("confirm-rollout"), "Start the release?"), ...once("pre-rollout")],
    judges: judgesOf("rollout").map((judge) => ({ ...judge, ...roundsOf(reading) })),
    increase: approvalsOf(ofType("confirm-traffic-increase"), "Give the new version more traffic?"),
    promotion: approvalsOf(ofType("confirm-promotion"), "Give everything to the new version?"),
    end: once("post-rollout"),
    notifications: ofType("event").flatMap(({ url }) =>
      url === undefined ? [] : [{ kind: "webhook", url, secret: undefined, events: [] } as const],
    ),
  };
}

function longest(judges: readonly ExternalJudge[]): number {
  return Math.max(...judges.map(({ timeoutMs }) => timeoutMs + 5000));
}

/** One question, however many webhooks have to agree. */
function approvalsOf(hooks: readonly Webhook[], question: string): readonly ReleaseStep[] {
  return hooks.length === 0 ? [] : [approval(question)];
}

function noteType(field: InputField, type: string): void {
  switch (type) {
    case "confirm-rollout":
    case "confirm-traffic-increase":
    case "confirm-promotion":
      field.note(
        "A person answers in the place of the webhook: `kirikae approve` and `kirikae reject` say so, with a name and a reason.",
      );
      return;
    case "rollback":
      field.note("Nobody is asked whether to roll back: `kirikae rollback NAME --release` says so at any time.");
      return;
    case "event":
      field.note("It becomes a notification, whose body is kirikae's own.");
      return;
    case "post-rollout":
      field.note("It is asked after everything has moved, and only where the release got there: a no takes it back.");
      return;
    case "rollout":
    case "pre-rollout":
      return;
    default:
      field.note("This type of webhook has no equal, so it is left out.");
  }
}

function readWebhook(field: InputField, { importing }: WebhookReading): Webhook {
  const type = field.get("type").text() ?? "rollout";
  const name = field.get("name").text() ?? type;
  const timeoutMs = readDurationMs(field.get("timeout")) ?? 10_000;
  field.get("muteAlert").leaveOut("it is about alerts");
  field.get("retries").note("An answer that does not come says nothing; `inconclusiveLimit` counts those.");
  field.get("disableTLS").note("Certificates are always verified; give the server one that is trusted here.");
  const isAsked = ["rollout", "pre-rollout", "post-rollout"].includes(type);
  const metadata = field.get("metadata");
  if (!isAsked) {
    metadata.leaveOut("its webhook is not asked");
    const url = type === "event" ? readHttpUrl(field.get("url")) : undefined;
    if (type !== "event") field.get("url").translate();
    return { field, type, name, judge: undefined, url };
  }
  const url = readHttpUrl(field.get("url"));
  const body = JSON.stringify(payloadOf(metadata, type, importing));
  const hasTemplates = body.includes("{{");
  if (hasTemplates) metadata.note("Its templates are Flagger's, so the webhook is not asked.");
  const judge = url === undefined || hasTemplates ? undefined : postJudge({ name, url, body, timeoutMs });
  return { field, type, name, judge, url };
}

function postJudge(options: {
  readonly name: string;
  readonly url: string;
  readonly body: string;
  readonly timeoutMs: number;
}): ExternalJudge {
  const { name, url, body, timeoutMs } = options;
  const headers = { "content-type": "application/json" };
  const ask = {
    kind: "http",
    url,
    method: "POST",
    headers,
    body,
    authentication: undefined,
    value: undefined,
  } as const;
  return { ...singleJudge(plainName(name), ask), timeoutMs: Math.max(1000, timeoutMs) };
}

/** What Flagger posts, as far as it is known before. */
function payloadOf(metadata: InputField, type: string, { object }: Importing): Readonly<Record<string, unknown>> {
  const entries = metadata.entries().flatMap(([key, value]): readonly (readonly [string, string])[] => {
    if (/token|secret|password|auth|api-?key/iu.test(key)) {
      value.note("No secret is copied, so it is left out of what is sent.");
      return [];
    }
    const text = value.text();
    return text === undefined ? [] : [[key, text]];
  });
  const phase = type === "post-rollout" ? "Succeeded" : "Progressing";
  return { name: object.name, namespace: object.namespace, phase, metadata: Object.fromEntries(entries) };
}

function plainName(name: string): string {
  const plain = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/gu, "-")
    .replaceAll(/^-+|-+$/gu, "")
    .slice(0, 60);
  return plain === "" ? "webhook" : plain;
}
