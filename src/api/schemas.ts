import { flag, list, name, nullable, number, object, text, weights } from "./schema-parts.ts";

/**
 * The API's shapes as JSON schemas: bodies and parameters are checked against them, and docs/api.md is generated from
 * all of them. Answers are not filtered by them, so that a new field reaches clients before its schema does.
 */

export const errorSchema = object({
  code: text("A stable code; docs/diagnostics.md lists them."),
  message: text("What happened, in one sentence."),
  hint: nullable({ type: "string" }, "What to do about it."),
  details: { type: "object", additionalProperties: true, description: "Facts, such as the list of known names." },
  exitStatus: { type: "integer", enum: [1, 2, 3], description: "How a command that met this error ends." },
});

export const moveRequestSchema = {
  type: "object",
  additionalProperties: false,
  required: ["verb", "name", "to", "actor"],
  properties: {
    verb: { type: "string", enum: ["switch", "shift", "rollback"], description: "What to do." },
    name: name("A VirtualService, or a service where that is unambiguous."),
    namespace: name("Its namespace, where the name alone is not clear."),
    route: name("A rule's name or number, where more than one could be meant."),
    to: {
      type: "object",
      maxProperties: 32,
      additionalProperties: { type: "number", minimum: 0, maximum: 100 },
      description: "Percent by version: one at 100 for a switch, the named ones for a shift, empty for a rollback.",
    },
    actor: name("Who asks, for the history."),
    reason: { type: "string", maxLength: 1000, description: "Why, for the history." },
  },
} as const;

const splitChangeSchema = object(
  {
    split: text("The split's stable id."),
    virtualService: text("`namespace/name`, where a plan moves several together; absent is the plan's."),
    rule: number("The rule's number, from 0."),
    ruleName: text("The rule's name."),
    role: text("`public` takes anybody, `preview` only by header, query or host."),
    declared: weights("Weights by destination, as the manifest has them."),
    before: weights("Weights by destination before the move."),
    after: weights("Weights by destination after it."),
  },
  ["virtualService", "ruleName"],
);

export const planSchema = object(
  {
    verb: text("switch, shift or rollback."),
    virtualService: text("`namespace/name`."),
    from: text("The version that gives most."),
    to: text("The version that gains most; after a shift it need not have everything."),
    changes: list(splitChangeSchema, "Every weight that changes."),
    stays: list(
      object({ rule: number("From 0."), ruleName: text("Its name."), reason: text("Why it stays.") }, ["ruleName"]),
      "Rules that this move does not touch.",
    ),
    versions: list(
      object({ name: text("The version."), destinations: list({ type: "string" }, "Its destinations.") }),
      "What the ledger counts by.",
    ),
    actor: text("Who asks."),
    reason: text("Why."),
    asks: text("Which endpoints of versions that gain have to answer before: any or none; absent is every one."),
    proof: object(
      {
        unreachable: text("wait or goOn: what becomes of proxies that cannot be reached."),
        timeoutMs: number("How long the proxies may take."),
      },
      ["timeoutMs"],
    ),
    takeOver: list({ type: "string" }, "Field managers whose weights may be taken over on a site."),
  },
  ["reason", "asks", "proof", "takeOver"],
);

export const ledgerSchema = object({
  requests: number("Requests while the step ran: ok + failed."),
  ok: number("Answered well."),
  failed: number("Failed. Must be 0."),
  byVersion: weights("Requests by version."),
  failedByVersion: weights("Failed requests by version."),
  lastOldMs: nullable(
    { type: "number" },
    "From the call to the last answer of the old version; null when it gave none, or keeps a share.",
  ),
  oldAfterDone: number("Requests that began after done and met the old version. Must be 0."),
  clientGone: number("Clients that left before their answer."),
  failures: list({ type: "string" }, "The first failures, in words."),
  isComplete: flag("False when records were dropped."),
});

export const proofSchema = object({
  node: text("The proxy."),
  ackMs: number("From the call to its ACK."),
  workersMs: number("From the call until every worker used the new weights."),
});

export const moveResultSchema = object(
  {
    id: text("The move's id in the history."),
    ok: flag("True only when proved, without failures, and the old version silent afterwards."),
    outcome: text("done, unproved (live, but not all of the evidence is there), refused, restored or stuck."),
    from: text("The version that gives most."),
    to: text("The version that gains most; after a shift it need not have everything."),
    callToProofMs: nullable({ type: "number" }, "From the call to the last proxy's proof."),
    proxies: list(proofSchema, "One entry a proxy."),
    ledger: nullable(ledgerSchema, "What the traffic met."),
    plan: planSchema,
    preflight: nullable({ type: "object", additionalProperties: true }, "What was checked before."),
    message: text("Why ok is false; where it is true, what could not be confirmed or counted."),
  },
  ["message"],
);

const versionSchema = object({
  name: text("The version."),
  role: text("live, idle, preview or split."),
  readyEndpoints: number("Endpoints that can take traffic."),
  endpoints: number("All endpoints."),
  requestsPerSecond: number("Over the last second."),
  errorsPerSecond: number("Over the last second."),
});

export const serviceSchema = object(
  {
    virtualService: text("`namespace/name`."),
    hosts: list({ type: "string" }, "Public host names."),
    live: text("The version that takes public traffic; absent while it is split."),
    versions: list(versionSchema, "Every version that could."),
    rules: list(
      object(
        {
          rule: number("From 0."),
          name: text("Its name."),
          role: text("public, preview or other."),
          weights: weights("Percent by version."),
        },
        ["name"],
      ),
      "The VirtualService's rules.",
    ),
    isMoved: flag("True when the weights differ from the manifest's."),
  },
  ["live"],
);

const callerFields = {
  workload: text("`namespace/name`."),
  proxy: nullable({ type: "string" }, "Where it sends HTTP requests, as to an HTTP proxy; null without a sidecar."),
  withoutSidecar: nullable({ type: "string" }, "Why it has no sidecar, so that no rule applies to it."),
};

export const callerSchema = object({
  ...callerFields,
  hint: nullable({ type: "string" }, "What would give it a sidecar."),
  services: list(
    object({ host: text("The service."), port: number("Its port."), address: text("Where it is for this caller.") }),
    "Ports of single services that need no HTTP proxy.",
  ),
  direct: nullable(
    object({
      host: text("The service that was asked for."),
      port: number("Its port."),
      endpoints: list({ type: "string" }, "Ready endpoints."),
    }),
    "Where a caller without a sidecar comes to; null where no service is called so.",
  ),
});

const inboundSchema = object({
  workload: text("`namespace/name`."),
  replica: number("Counted from 0."),
  port: number("The workload's port as manifests name it."),
  protocol: text("http, or tcp for bytes."),
  requests: number("Answered requests."),
  errors: number("Answers of 500 and more."),
  byClass: { type: "object", additionalProperties: { type: "number" }, description: "Answers as 1xx to 5xx." },
  refused: number("What was beyond the limits before the workload; requests got 503 with the flag UO."),
  connections: number("Connections that carried bytes."),
  latency: nullable(
    object({ p50Ms: number("Half of the answers took this long at most."), p99Ms: number("99 in 100 did.") }),
    "How long answers took; null before there were any.",
  ),
});

const clusterReleaseSchema = object({
  runBy: text("Always `controller`."),
  context: text("The cluster, by its context of the kubeconfig."),
  release: text("`namespace/name`."),
  id: nullable({ type: "string" }, "Null until it has begun."),
  from: nullable({ type: "string" }, "The version that it begins with."),
  to: text("The version that gains."),
  services: list({ type: "string" }, "`namespace/name` of every VirtualService that it moves."),
  phase: text("As of any release; `pending` where no controller has looked at it, and `refused`."),
  step: nullable({ type: "string" }, "Such as `2/6`."),
  stepName: nullable({ type: "string" }, "What the step is called."),
  weight: nullable({ type: "string" }, "What has been proved to be live, such as `blue 90 %, green 10 %`."),
  message: text("What it does, or what it waits for."),
  startedAt: nullable({ type: "string" }, "ISO 8601."),
  endedAt: nullable({ type: "string" }, "ISO 8601."),
  waitsUntil: nullable({ type: "string" }, "When what it waits for changes by itself, ISO 8601."),
  steps: list({ type: "object", additionalProperties: true }, "Empty: its journal is in the cluster."),
});

export const statusSchema = object(
  {
    gateways: list(
      object(
        {
          gateway: text("`namespace/name`."),
          server: text("The server's name."),
          hosts: list({ type: "string" }, "Hosts it admits."),
          port: number("The port as manifests name it."),
          protocol: text("http, https, tls or tcp."),
          address: text("Where it listens on this machine."),
          routedHost: text("A host that some rule here takes, for a first try."),
          asksForCertificate: flag("Whether a client without a certificate is refused."),
        },
        ["routedHost", "asksForCertificate"],
      ),
      "Where requests enter.",
    ),
    services: list(serviceSchema, "VirtualServices whose traffic can be moved."),
    proxies: list(
      object(
        {
          node: text("The proxy."),
          connected: flag("Whether its configuration stream is up."),
          unknown: text("Why nobody knows whether it is connected; absent where somebody does."),
          pid: number("Its process."),
          types: list({ type: "object", additionalProperties: true }, "Sent, acknowledged and refused, by xDS type."),
        },
        ["unknown", "pid"],
      ),
      "Proxies.",
    ),
    workloads: list({ type: "object", additionalProperties: true }, "Local workloads and their replicas."),
    inbound: list(
      inboundSchema,
      "What has reached each replica that has a sidecar, port by port, since the proxy started.",
    ),
    callers: list(object(callerFields), "Workloads that send requests inside the mesh."),
    refusedManifests: list({ type: "string" }, "Errors of saved manifests that were refused."),
    additions: list(
      { type: "object", additionalProperties: true },
      "What releases have laid over the routes of the manifests: previews, mirrors and session affinity.",
    ),
    site: object({
      context: text("Of the kubeconfig."),
      troubles: list({ type: "string" }, "What keeps the cluster from being seen as it is."),
    }),
    clusterReleases: list(
      clusterReleaseSchema,
      "Releases that controllers of the clusters carry out, newest first; absent where the mesh is on this machine.",
    ),
  },
  ["site", "clusterReleases"],
);

export const historySchema = list(
  object(
    {
      id: text("The move's id."),
      virtualService: text("`namespace/name`."),
      verb: text("switch, shift, rollback, manifest or recovery."),
      outcome: text("done, unproved, refused, restored, stuck or running."),
      startedAt: text("ISO 8601."),
      finishedAt: text("ISO 8601."),
      actor: text("Who."),
      reason: text("Why."),
      before: weights("Percent by version before."),
      after: weights("Percent by version after."),
      ledger: nullable(ledgerSchema, "What the traffic met."),
      message: text("Why the outcome is not done, or what a recovery found."),
      proof: object(
        {
          provedAt: text("When the last proxy had proved the weights, ISO 8601."),
          callToProofMs: nullable({ type: "number" }, "From the call to that; null where it was not proved."),
          proxies: list(proofSchema, "Each of them."),
        },
        ["provedAt"],
      ),
    },
    ["finishedAt", "reason", "message", "proof"],
  ),
  "Oldest first.",
);

const sampleSchema = object({
  atMs: number("Milliseconds since the epoch."),
  services: list({ type: "object", additionalProperties: true }, "Requests and errors per second by version."),
});

export const samplesSchema = object({
  samples: list(sampleSchema, "One a second, oldest first."),
  moves: list({ type: "object", additionalProperties: true }, "Moves of this run of `up`, oldest first."),
});

export const sessionSchema = object({
  actor: nullable({ type: "string" }, "Whom the page's link was made for; null for who has the token."),
});

export const pageLinkSchema = object({ url: text("Signs one browser in, once.") });
