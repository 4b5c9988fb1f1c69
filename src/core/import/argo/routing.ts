import type { ReleaseRoute } from "../../manifest/release.ts";
import type { InputField } from "../field-ledger.ts";
import type { Importing, MadeObject } from "../import-result.ts";
import { findDelegators } from "../find-delegators.ts";
import type { InputObject } from "../input-object.ts";
import { makeVirtualService } from "../made-objects.ts";
import { plainValue } from "../plain-value.ts";

/** Which rules a Rollout moves, between which versions, and what has to be there for it. */
export interface ImportedRouting {
  readonly routes: readonly ReleaseRoute[];
  readonly from: string | undefined;
  readonly to: string;
  readonly made: readonly MadeObject[];
}

interface Versions {
  readonly from: string;
  readonly to: string;
  /** Set where versions are subsets of one host. */
  readonly host?: string;
}

/** Reads `trafficRouting` and the names of both sides of a canary. */
export function readCanaryRouting(canary: InputField, importing: Importing): ImportedRouting {
  const traffic = canary.get("trafficRouting");
  const istio = traffic.get("istio");
  for (const [name, router] of traffic.entries()) {
    if (name !== "istio" && name !== "managedRoutes" && name !== "maxTrafficWeight") {
      router.note(`kirikae moves traffic by Istio's VirtualServices and not by ${name}.`);
    }
  }
  const versions = readVersions(canary, istio, importing);
  const routes = [
    ...readVirtualService(istio.get("virtualService"), importing),
    ...istio
      .get("virtualServices")
      .items()
      .flatMap((item) => readVirtualService(item, importing)),
  ];
  const { namespace } = importing.object;
  if (routes.length > 0) {
    const to = shortHost(versions.to, namespace);
    // A host has another name in each namespace, and `from` has to be the one that is live.
    const isForeign = routes.some((route) => route.namespace !== namespace);
    const from = isForeign ? undefined : shortHost(versions.from, namespace);
    if (isForeign)
      importing.noteStrategy("Its rules are in several namespaces, so whatever is live there is released over.");
    return { from, to: isForeign ? versions.to : to, routes: withoutDoubles(routes), made: [] };
  }
  const { from, to, host } = versions;
  const name = host ?? from;
  importing.noteStrategy(
    `It names no VirtualService, so one is made for the host ${name}; its Service has to select the pods of both versions only where no proxy asks it.`,
  );
  const [live, next] =
    host === undefined
      ? [{ host: from }, { host: to }]
      : [
          { host, subset: from },
          { host, subset: to },
        ];
  const made = [makeVirtualService({ name, namespace, live, next })];
  return {
    from,
    to,
    routes: [{ namespace, virtualService: name, route: undefined }],
    made: host === undefined ? made : [...made, makeSubsets(host, versions, importing)],
  };
}

function readVersions(canary: InputField, istio: InputField, importing: Importing): Versions {
  const rule = istio.get("destinationRule");
  const stable = canary.get("stableService").text();
  const next = canary.get("canaryService").text();
  const pingPong = readPingPong(canary.get("pingPong"), importing);
  if (rule.exists) {
    const from = rule.get("stableSubsetName").text() ?? "stable";
    const to = rule.get("canarySubsetName").text() ?? "canary";
    rule.get("additionalSubsetNames").note("These subsets are left as they are: they keep their share.");
    const name = rule.get("name").text();
    noteSubsets(rule, { name, from, to }, importing);
    return { from, to };
  }
  if (pingPong !== undefined) return pingPong;
  if (stable !== undefined && next !== undefined && stable !== next) {
    for (const [name, role] of [
      ["stableService", "stable"],
      ["canaryService", "canary"],
    ] as const) {
      canary
        .get(name)
        .note(
          `Argo Rollouts adds the hash of the ${role} pods to this Service's selector; without it, the Service needs a selector of its own that tells its version apart.`,
        );
    }
    return { from: stable, to: next };
  }
  importing.noteStrategy(
    "It names no two Services or subsets, so its weights were numbers of pods; the subsets stable and canary are made, and the pods need the labels that they select.",
  );
  return { from: "stable", to: "canary", host: stable ?? next ?? importing.object.name };
}

function readPingPong(field: InputField, importing: Importing): Versions | undefined {
  const ping = field.get("pingService").text();
  const pong = field.get("pongService").text();
  if (ping === undefined || pong === undefined || ping === pong) return undefined;
  const live = importing.object.root.at("status", "canary", "stablePingPong");
  const isPong = live?.value.kind === "string" && live.value.value === "pong";
  field.note(
    `The Services take turns, so the next release goes the other way; ${isPong ? pong : ping} is taken for the one that is live${!live.exists ? ", because the status does not say" : ""}.`,
  );
  return isPong ? { from: pong, to: ping } : { from: ping, to: pong };
}

/** Argo Rollouts writes the labels that tell subsets apart; without it somebody else has to. */
function noteSubsets(
  field: InputField,
  subsets: { readonly name: string | undefined; readonly from: string; readonly to: string },
  importing: Importing,
): void {
  const { namespace } = importing.object;
  const name = subsets.name ?? "";
  const rule = importing.catalog.find("DestinationRule", { namespace, name });
  if (rule === undefined) {
    field.note(
      `The DestinationRule ${name} is not in the files that were given; its subsets need labels that tell the versions apart, because Argo Rollouts writes rollouts-pod-template-hash there.`,
    );
    return;
  }
  const labels = rule.root
    .at("spec", "subsets")
    .items()
    .flatMap((subset) => {
      const own = subset.get("name").text();
      return own === subsets.from || own === subsets.to ? [JSON.stringify(plainValue(subset.get("labels").value))] : [];
    });
  if (new Set(labels).size < 2) {
    field.note(
      `The subsets of the DestinationRule ${name} select the same pods, because Argo Rollouts writes rollouts-pod-template-hash there at run time: give each a label of its own.`,
    );
  }
}

function makeSubsets(host: string, { from, to }: Versions, { object }: Importing): MadeObject {
  const hashOf = (name: string): string | undefined => {
    const value = object.root.at("status", name).value;
    return value?.kind === "string" ? value.value : undefined;
  };
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "DestinationRule",
    metadata: { name: host, namespace: object.namespace },
    spec: {
      host,
      subsets: [
        { name: from, labels: labelsOf(hashOf("stableRS"), from) },
        { name: to, labels: labelsOf(hashOf("currentPodHash"), to) },
      ],
    },
  };
}

function labelsOf(hash: string | undefined, version: string): Readonly<Record<string, string>> {
  return hash === undefined ? { version } : { "rollouts-pod-template-hash": hash };
}

/** One `virtualService`: `name` or `name.namespace`, and the rules of it that are meant. */
function readVirtualService(field: InputField, importing: Importing): readonly ReleaseRoute[] {
  const text = field.get("name").text();
  if (text === undefined || text === "") return [];
  const [virtualService = "", ...rest] = text.split(".");
  const namespace = rest.length === 0 ? importing.object.namespace : rest.join(".");
  for (const name of ["tlsRoutes", "tcpRoutes"]) {
    field.get(name).note("kirikae moves rules of `http` alone; these connections keep their shares.");
  }
  const given = importing.catalog.find("VirtualService", { namespace, name: virtualService });
  if (given === undefined) {
    field.note(
      `The VirtualService ${namespace}/${virtualService} is not in the files that were given; give it to \`kirikae plan\` too.`,
    );
  }
  const delegators = given?.root.at("spec", "hosts").exists === false ? findDelegators(importing.catalog, given) : [];
  if (delegators.length > 0) {
    field.note("It is a delegate, so the Release names the VirtualServices that delegate to it.");
    return delegators;
  }
  return readRules(field.get("routes"), given).map((route) => ({ namespace, virtualService, route }));
}

/** Names of rules, or undefined for all that hold the versions. */
function readRules(list: InputField, given: InputObject | undefined): readonly (string | undefined)[] {
  const rules = given?.root.at("spec", "http").items();
  const known = rules?.map((rule) => rule.get("name").text());
  const names = list.items().flatMap((item) => {
    const name = item.text();
    if (name === undefined || known === undefined || known.includes(name)) return name ?? [];
    item.note("The VirtualService has no rule of that name, so it is left out.");
    return [];
  });
  const isAll = known?.every((name) => name !== undefined && names.includes(name)) === true;
  return names.length === 0 || isAll ? [undefined] : names;
}

/** `web` for `web.shop`, `web.shop.svc` and `web.shop.svc.cluster.local` within `shop`. */
function shortHost(host: string, namespace: string): string {
  const [name = "", ...rest] = host.split(".");
  const isOwn = [namespace, `${namespace}.svc`, `${namespace}.svc.cluster.local`].includes(rest.join("."));
  return isOwn ? name : host;
}

function withoutDoubles(routes: readonly ReleaseRoute[]): readonly ReleaseRoute[] {
  return [...new Map(routes.map((one) => [routeKey(one), one])).values()];
}

function routeKey({ namespace, virtualService, route }: ReleaseRoute): string {
  return `${namespace}/${virtualService} ${route ?? ""}`;
}

/** Blue/green of Argo Rollouts swaps selectors, so the VirtualService that decides instead is made or completed. */
export function readBlueGreenRouting(field: InputField, importing: Importing): ImportedRouting {
  const { namespace, name } = importing.object;
  const from = field.get("activeService").text() ?? `${name}-active`;
  const named = field.get("previewService").text();
  const to = named === undefined || named === from ? `${name}-preview` : named;
  if (to !== named) {
    field.note(
      `It names no previewService, so the new version has no host of its own: make a Service ${to} that selects it.`,
    );
  }
  field
    .get("activeService")
    .note(
      `Argo Rollouts swaps the selectors of the Services; with kirikae ${from} and ${to} keep theirs, a VirtualService decides, and the next release goes the other way.`,
    );
  const given = importing.catalog
    .all("VirtualService")
    .find((one) => one.namespace === namespace && sendsTo(one.root, from));
  if (given === undefined) {
    const made = makeVirtualService({ name: from, namespace, live: { host: from }, next: { host: to } });
    return { from, to, routes: [{ namespace, virtualService: from, route: undefined }], made: [made] };
  }
  field.note(
    `The VirtualService ${given.name} is given again with ${to} as a destination of weight 0: put it in the place of the one that is there.`,
  );
  const spec = plainValue(given.root.get("spec").value);
  const made: MadeObject = {
    apiVersion: given.apiVersion,
    kind: "VirtualService",
    metadata: { name: given.name, namespace },
    spec: addArm(spec, { from, to }),
  };
  return { from, to, routes: [{ namespace, virtualService: given.name, route: undefined }], made: [made] };
}

function sendsTo(root: InputField, host: string): boolean {
  const rules = root.at("spec", "http").value;
  return rules?.kind === "list" && JSON.stringify(plainValue(rules)).includes(`"host":${JSON.stringify(host)}`);
}

function addArm(
  spec: unknown,
  sides: { readonly from: string; readonly to: string },
): Readonly<Record<string, unknown>> {
  if (!isRecord(spec) || !Array.isArray(spec["http"])) return isRecord(spec) ? spec : {};
  return {
    ...spec,
    http: spec["http"].map((rule: unknown) => {
      if (!isRecord(rule) || !Array.isArray(rule["route"])) return rule;
      const arms: readonly unknown[] = rule["route"];
      const live = arms.find((arm) => hostOf(arm) === sides.from);
      if (!isRecord(live) || arms.some((arm) => hostOf(arm) === sides.to)) return rule;
      const next = { ...live, destination: { ...destinationOf(live), host: sides.to }, weight: 0 };
      const weighed = arms.length === 1 ? [{ ...live, weight: 100 }] : arms;
      return { ...rule, route: [...weighed, next] };
    }),
  };
}

function destinationOf(arm: unknown): Readonly<Record<string, unknown>> {
  const destination = isRecord(arm) ? arm["destination"] : undefined;
  return isRecord(destination) ? destination : {};
}

function hostOf(arm: unknown): unknown {
  return destinationOf(arm)["host"];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
