import type {
  Approval,
  Authentication,
  Bake,
  Check,
  ExternalJudge,
  Hold,
  JudgeQuestion,
  LatencyLimit,
  Mirroring,
  Preview,
  ReleaseRoute,
  ReleaseSpec,
  ReleaseStep,
  ReleaseStrategy,
  SecretSource,
} from "../manifest/release.ts";
import type { StringMatch } from "../manifest/virtual-service.ts";
import { renderDurationText } from "./duration-text.ts";

type Plain = Readonly<Record<string, unknown>>;

/** Writes a spec in the form in which a Release is read, without what says the same when it is absent. */
export function writeSpec(spec: ReleaseSpec, namespace: string): Plain {
  const { sessionAffinity, maxDuration, notifications } = spec;
  return withoutAbsent({
    routes: spec.routes.map((route) => writeRoute(route, namespace)),
    from: spec.from,
    to: spec.to,
    strategy: writeStrategy(spec.strategy),
    sessionAffinity: sessionAffinity && {
      cookie: sessionAffinity.cookie,
      maxAge: renderDurationText(sessionAffinity.maxAgeMs),
    },
    maxFailed: spec.maxFailed,
    maxDuration: maxDuration && renderDurationText(maxDuration.durationMs),
    notifications:
      notifications.length === 0
        ? undefined
        : notifications.map((one) =>
            one.kind === "log"
              ? { log: {} }
              : {
                  webhook: withoutAbsent({
                    url: one.url,
                    events: one.events.length === 0 ? undefined : one.events,
                  }),
                },
          ),
  });
}

function writeRoute({ namespace, virtualService, route }: ReleaseRoute, own: string): Plain {
  const name = namespace === own ? virtualService : `${namespace}/${virtualService}`;
  return withoutAbsent({ virtualService: name, route });
}

/** The importers make no other presets than these. */
function writeStrategy(strategy: ReleaseStrategy): Plain {
  switch (strategy.kind) {
    case "canary": {
      const { weights, hold, check, approve } = strategy;
      return { canary: withoutAbsent({ weights, ...writeGates({ hold, check, approve }) }) };
    }
    case "abTest":
      return { abTest: withoutAbsent({ preview: writePreview(strategy.preview), ...writeGates(strategy) }) };
    case "mirrorFirst": {
      const { mirror, weights } = strategy;
      return { mirrorFirst: withoutAbsent({ mirror: writeMirror(mirror), weights, ...writeGates(strategy) }) };
    }
    case "steps":
      return { steps: strategy.steps.map(writeStep) };
    case "blueGreen":
    case "cohorts":
      return { steps: [{ switch: {} }] };
  }
}

function writeGates(gates: {
  readonly hold: Hold | undefined;
  readonly check: Check | undefined;
  readonly approve: Approval | undefined;
}): Plain {
  return {
    hold: gates.hold && writeHold(gates.hold),
    check: gates.check && writeCheck(gates.check),
    approve: gates.approve && writeApproval(gates.approve),
  };
}

function writeStep(step: ReleaseStep): Plain {
  switch (step.kind) {
    case "preview":
      return { preview: writePreview(step) };
    case "mirror":
      return { mirror: writeMirror(step) };
    case "affinity":
      return { affinity: { cookie: step.cookie, maxAge: renderDurationText(step.maxAgeMs) } };
    case "weight":
      return { weight: step.shares };
    case "switch":
      return { switch: {} };
    case "hold":
      return { hold: writeHold(step) };
    case "approve":
      return { approve: writeApproval(step) };
    case "check":
      return { check: writeCheck(step) };
    case "bake":
      return { bake: writeBake(step) };
    case "finish":
      return { finish: {} };
  }
}

function writeHold({ durationMs }: Hold): unknown {
  return durationMs === undefined ? {} : renderDurationText(durationMs);
}

function writeBake({ durationMs, check }: Bake): unknown {
  const duration = renderDurationText(durationMs);
  return check === undefined ? duration : { duration, check: writeCheck(check) };
}

function writeApproval({ people, question }: Approval): Plain {
  return withoutAbsent({ people: people === 1 ? undefined : people, question });
}

function writePreview({ name, match }: Preview): Plain {
  return {
    name,
    match: match.map(({ headers, cookies, queryParams }) =>
      withoutAbsent({
        headers: writeConditions(headers),
        cookies: writeConditions(cookies),
        queryParams: writeConditions(queryParams),
      }),
    ),
  };
}

function writeConditions(conditions: Readonly<Record<string, StringMatch>>): Plain | undefined {
  const written = Object.entries(conditions).map(([key, value]) => [key, writeStringMatch(value)]);
  return written.length === 0 ? undefined : Object.fromEntries(written);
}

function writeStringMatch(match: StringMatch): Plain {
  return match.kind === "present" ? {} : { [match.kind]: match.value };
}

function writeMirror({ percent, methods }: Mirroring): Plain {
  return percent === 0 ? { percent } : { percent, methods };
}

function writeCheck(check: Check): Plain {
  const { durationMs, initialDelayMs, minRequests, minSuccessPercent, comparesWithLive, latency, judges } = check;
  return withoutAbsent({
    duration: renderDurationText(durationMs),
    initialDelay: initialDelayMs === 0 ? undefined : renderDurationText(initialDelayMs),
    minRequests: minRequests === 20 ? undefined : minRequests,
    successRate: minSuccessPercent === undefined ? undefined : { min: minSuccessPercent },
    compareWithLive: comparesWithLive ? undefined : false,
    latency: latency.length === 0 ? undefined : latency.map(writeLatency),
    judges: judges.length === 0 ? undefined : judges.map(writeJudge),
    dryRun: check.isDryRun ? true : undefined,
  });
}

function writeLatency({ percentile, maxMs, maxTimesLive }: LatencyLimit): Plain {
  return withoutAbsent({
    percentile,
    max: maxMs === undefined ? undefined : renderDurationText(maxMs),
    timesLive: maxTimesLive,
  });
}

function writeJudge(judge: ExternalJudge): Plain {
  const { name, intervalMs, initialDelayMs, count, failureLimit, inconclusiveLimit, timeoutMs, isDryRun } = judge;
  return withoutAbsent({
    name,
    interval: renderDurationText(intervalMs),
    initialDelay: initialDelayMs === 0 ? undefined : renderDurationText(initialDelayMs),
    count,
    failureLimit: failureLimit === 0 ? undefined : failureLimit,
    inconclusiveLimit,
    timeout: renderDurationText(timeoutMs),
    dryRun: isDryRun ? true : undefined,
    ...writeQuestion(judge.ask),
  });
}

function writeQuestion(ask: JudgeQuestion): Plain {
  switch (ask.kind) {
    case "prometheus": {
      const { address, query, range, success, headers, authentication } = ask;
      return {
        prometheus: withoutAbsent({
          address,
          query,
          range: range && { duration: renderDurationText(range.durationMs), step: renderDurationText(range.stepMs) },
          success: `${success.operator} ${success.value}`,
          headers: Object.keys(headers).length === 0 ? undefined : headers,
          ...writeAuthentication(authentication),
        }),
      };
    }
    case "http": {
      const { url, method, headers, body, value, authentication } = ask;
      return {
        http: withoutAbsent({
          url,
          method: method === "GET" ? undefined : method,
          headers: Object.keys(headers).length === 0 ? undefined : headers,
          body,
          value: value && { path: value.path, success: `${value.success.operator} ${value.success.value}` },
          ...writeAuthentication(authentication),
        }),
      };
    }
    case "command":
      return { command: ask.command };
  }
}

function writeAuthentication(authentication: Authentication | undefined): Plain {
  if (authentication === undefined) return {};
  if (authentication.kind === "bearer") return { bearer: writeSecret(authentication.token) };
  return { basicAuth: { username: authentication.username, password: writeSecret(authentication.password) } };
}

function writeSecret(secret: SecretSource): Plain {
  return secret.kind === "file" ? { fromFile: secret.path } : { fromEnvironment: secret.name };
}

function withoutAbsent(fields: Plain): Plain {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
