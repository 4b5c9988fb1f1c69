import { renderMatch } from "../../src/core/routes/match-request.ts";
import { noMutation } from "../../src/core/routes/header-mutation.ts";
import type {
  Arm,
  Destination,
  DestinationEndpoint,
  FilterChain,
  HeaderMutation,
  InboundRoute,
  Listener,
  Route,
  RouteAction,
  RouteTable,
} from "../../src/core/routes/route-table.ts";

type Rendered = Readonly<Record<string, unknown>>;

/** The table in few lines that a person can hold against the manifests; what is as by default is left out. */
export function renderTable(table: RouteTable): Rendered {
  return withoutEmpty({
    proxies: [...table.proxies.values()].map(({ id, kind, namespace }) => `${id} (${kind} in ${namespace})`),
    listeners: Object.fromEntries(table.listeners.map((listener) => [listener.id, renderListener(listener)])),
    routings: Object.fromEntries(
      table.httpRoutings.map(({ id, virtualHosts }) => [
        id,
        Object.fromEntries(
          virtualHosts.map(({ domain, aliases = [], requiresHttps, routes }) => [
            [domain, ...aliases].join(" "),
            [...(requiresHttps ? ["everything is sent to https"] : []), ...routes.map(renderRoute)],
          ]),
        ),
      ]),
    ),
    destinations: Object.fromEntries([...table.destinations].map(([id, each]) => [id, renderDestination(each)])),
    secrets: [...table.secrets.values()].map(({ id, kind }) => `${id} (${kind})`),
    unserved: (table.unserved ?? []).map(({ virtualService, host, reason }) => `${virtualService} ${host}: ${reason}`),
  });
}

function renderListener({ port, bind, role, filterChains }: Listener): Rendered {
  return withoutEmpty({
    port: `${port}${bind === undefined ? "" : ` on ${bind}`}${role.kind === "gateway" ? "" : ` ${role.kind}`}`,
    chains: filterChains.map(renderChain),
  });
}

function renderChain({ id, servers, serverNames, tls, serves }: FilterChain): Rendered {
  return withoutEmpty({
    id,
    servers: servers.map(({ gateway, server, hosts }) => `${gateway} ${server}: ${hosts.join(" ")}`),
    names: serverNames.join(" "),
    tls: tls === undefined ? undefined : withoutEmpty({ ...tls }),
    http: serves.kind === "http" ? serves.routing : undefined,
    tcp: serves.kind === "tcp" ? serves.route.split.arms.map(renderArm) : undefined,
    inbound: serves.kind === "inboundHttp" ? renderInbound(serves.route) : undefined,
  });
}

function renderInbound({ destination, servicePort, retry }: InboundRoute): string {
  const tries = retry === undefined ? "no retries" : `${retry.attempts} retries on ${retry.on.join(",")}`;
  return `service port ${servicePort} to ${destination}, ${tries}`;
}

function renderRoute({ origin, name, match, action, fault, cors, statPrefix }: Route): Rendered {
  const rule = `${origin.virtualService} rule ${origin.rule}${origin.match === undefined ? "" : ` match ${origin.match}`}`;
  return withoutEmpty({
    rule: `${rule}${name === "" ? "" : ` (${name})`} line ${origin.at.line}`,
    takes: renderMatch(match),
    ...renderAction(action),
    fault,
    cors: cors === undefined ? undefined : withoutEmpty({ ...cors }),
    statPrefix,
  });
}

const usualRetry = JSON.stringify([
  2,
  ["connect-failure", "refused-stream", "unavailable", "cancelled", "retriable-status-codes"],
  [],
  true,
]);

function renderAction(action: RouteAction): Rendered {
  switch (action.kind) {
    case "redirect": {
      const { status, host, scheme, port, path, responseHeaders } = action;
      return {
        redirect: withoutEmpty({ status, host, scheme, port, path }),
        response: renderMutation(responseHeaders),
      };
    }
    case "direct": {
      const { status, body, responseHeaders } = action;
      return {
        answers: `${status} ${new TextDecoder().decode(body)}`.trim(),
        response: renderMutation(responseHeaders),
      };
    }
    case "forward": {
      const { retry, mirrors, split } = action;
      const isUsual =
        retry !== undefined &&
        retry.perTryTimeoutMs === undefined &&
        retry.backoffMs === undefined &&
        retry.avoidsPreviousPriorities === undefined &&
        JSON.stringify([retry.attempts, retry.on, retry.statusCodes, retry.avoidsPreviousHosts]) === usualRetry;
      return {
        split: split.id,
        to: split.arms.map(renderArm),
        path: action.pathRewrite,
        host: action.hostRewrite,
        timeoutMs: action.timeoutMs === 0 ? undefined : action.timeoutMs,
        retry: isUsual ? undefined : (retry ?? "none"),
        mirrors: mirrors.map(({ destination, percent }) => `${percent} % ${destination}`),
        request: renderMutation(action.requestHeaders),
        response: renderMutation(action.responseHeaders),
      };
    }
  }
}

function renderArm(arm: Arm): string | Rendered {
  const line = `${arm.isDeclared ? arm.weight : "idle"} ${arm.destination}`;
  const changes = withoutEmpty({
    host: arm.hostRewrite,
    request: renderMutation(arm.requestHeaders),
    response: renderMutation(arm.responseHeaders),
  });
  return Object.keys(changes).length === 0 ? line : { [line]: changes };
}

function renderMutation(mutation: HeaderMutation | undefined): Rendered | undefined {
  if (mutation === undefined || mutation === noMutation) return undefined;
  const { set, add, remove } = mutation;
  return withoutEmpty({ set: Object.fromEntries(set), add: Object.fromEntries(add), remove });
}

function renderDestination({ protocol, resolution, endpoints, policy }: Destination): Rendered {
  const { loadBalancer, connectTimeoutMs, usesClientProtocol, ...others } = policy;
  return withoutEmpty({
    by: `${protocol} ${resolution}`,
    endpoints: endpoints.map(renderEndpoint),
    loadBalancer:
      loadBalancer.kind === "leastRequest" && loadBalancer.warmup === undefined
        ? undefined
        : withoutEmpty(loadBalancer),
    connectTimeoutMs: connectTimeoutMs === 10_000 ? undefined : connectTimeoutMs,
    usesClientProtocol: usesClientProtocol ? true : undefined,
    ...Object.fromEntries(
      Object.entries(others).map(([key, value]) => [
        key,
        typeof value === "object" ? withoutEmpty({ ...value }) : value,
      ]),
    ),
  });
}

function renderReplicas({
  name,
  replica,
  inboundPort,
}: Extract<DestinationEndpoint, { kind: "localWorkload" }>): string {
  const who = replica === undefined ? `replicas of ${name}` : `replica ${replica} of ${name}`;
  return inboundPort === undefined ? who : `${who} by inbound port ${inboundPort}`;
}

function renderEndpoint(endpoint: DestinationEndpoint): string {
  const { locality, priority, localityWeight } = endpoint;
  const place =
    endpoint.kind === "address"
      ? `${endpoint.address}:${endpoint.port}${endpoint.weight === 1 ? "" : ` weight ${endpoint.weight}`}`
      : renderReplicas(endpoint);
  return [
    place,
    ...(locality === undefined ? [] : [`in ${locality.region}/${locality.zone}/${locality.subZone}`]),
    ...(priority === undefined ? [] : [`priority ${priority}`]),
    ...(localityWeight === undefined ? [] : [`share ${localityWeight}`]),
  ].join(" ");
}

function withoutEmpty(record: object): Rendered {
  return Object.fromEntries(
    Object.entries(record).filter(
      ([, value]) =>
        value !== undefined &&
        value !== "" &&
        !(Array.isArray(value) && value.length === 0) &&
        !(typeof value === "object" && value !== null && Object.keys(value).length === 0),
    ),
  );
}
