import { type ForeignOwner, type OwnerOptions, permittedManagers } from "./foreign-owner.ts";
import { asObject, isJsonObject } from "./json-value.ts";
import type { SiteObject } from "./site-object.ts";

/** On Services and DestinationRules: the Rollout whose controller writes them (argo-rollouts `ManagedByRolloutsKey`). */
const rolloutAnnotation = "argo-rollouts.argoproj.io/managed-by-rollouts";

/**
 * A tool that moves the weights of a VirtualService although it owns none of its rules: Argo Rollouts writes them only
 * where they differ from what it wants, and Flagger loses them to whoever writes after it. Either sets them back. Undefined
 * where nothing points to one, or where its manager may be taken over from.
 * @param beside Services and DestinationRules of the site
 */
export function findTrafficTool(
  object: SiteObject,
  beside: readonly SiteObject[],
  options: OwnerOptions,
): ForeignOwner | undefined {
  const permitted = permittedManagers(object, options);
  return [findCanary(object), findRollout(object, beside)].find(
    (tool) => tool !== undefined && !permitted.has(tool.manager),
  );
}

function findCanary({ metadata }: SiteObject): ForeignOwner | undefined {
  const owners = Array.isArray(metadata["ownerReferences"]) ? metadata["ownerReferences"].filter(isJsonObject) : [];
  const canary = owners.find(
    ({ apiVersion, kind }) => kind === "Canary" && String(apiVersion).startsWith("flagger.app/"),
  );
  if (canary === undefined) return undefined;
  return { manager: "flagger", operation: "Update", reason: `has made it for the Canary ${String(canary["name"])}` };
}

function findRollout(object: SiteObject, beside: readonly SiteObject[]): ForeignOwner | undefined {
  const hosts = destinationHosts(object);
  const managed = beside.find(
    (each) => each.metadata.annotations?.[rolloutAnnotation] !== undefined && hosts.has(hostOf(each)),
  );
  if (managed === undefined) return undefined;
  const rollout = managed.metadata.annotations?.[rolloutAnnotation] ?? "";
  const reason = `manages ${managed.kind} ${managed.metadata.namespace ?? "default"}/${managed.metadata.name} for the Rollout ${rollout}`;
  return { manager: "rollouts-controller", operation: "Update", reason };
}

function destinationHosts({ spec, metadata }: SiteObject): ReadonlySet<string> {
  const rules = asObject(spec)["http"];
  const routes = listOf(rules).flatMap((rule) => listOf(rule["route"]));
  return new Set(routes.map((route) => qualify(asObject(route["destination"])["host"], metadata.namespace)));
}

function hostOf({ kind, spec, metadata }: SiteObject): string {
  return qualify(kind === "Service" ? metadata.name : asObject(spec)["host"], metadata.namespace);
}

/** A name without a dot is one of the object's own namespace (Istio, `destination.host`). */
function qualify(host: unknown, namespace = "default"): string {
  const name = String(host);
  return name.includes(".") ? name.replace(/\.svc\..*$/u, ".svc") : `${name}.${namespace}.svc`;
}

function listOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}
