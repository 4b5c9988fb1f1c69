import { objectName, type VirtualServiceManifest } from "../manifest/manifest.ts";
import { parseManifests } from "../manifest/parse-manifests.ts";
import { splitIdsOf } from "../routes/split-id.ts";
import { asText, type JsonObject } from "../site/json-value.ts";
import { httpRules, isOwnRule, stripOwnRoutes } from "../site/own-routes.ts";
import { renderSiteSource, ruleAtLine } from "../site/render-site-source.ts";
import { siteAnnotations, type SiteObject } from "../site/site-object.ts";

/** A VirtualService as it is live. */
export interface LiveService {
  readonly rules: ReadonlyMap<string, JsonObject>;
  /** Names of the routes that kirikae has laid. */
  readonly ownRoutes: readonly string[];
  /** The release or the person whose weights are live. */
  readonly movedBy: string | undefined;
  readonly movedAt: string | undefined;
}

/** By `namespace/name`; rules by the same key as in git (`git-services.ts`). Objects of other kinds are left out. */
export function readLiveServices(objects: readonly SiteObject[]): ReadonlyMap<string, LiveService> {
  const services = objects.filter(({ kind }) => kind === "VirtualService");
  return new Map(services.flatMap((object) => readOne(object)));
}

function readOne(object: SiteObject): readonly (readonly [string, LiveService])[] {
  const { manifests } = parseManifests([renderSiteSource(object)], { defaultNamespace: "default" });
  const manifest = manifests.find((each): each is VirtualServiceManifest => each.kind === "VirtualService");
  if (manifest === undefined) return [];
  const name = objectName(manifest);
  const ids = splitIdsOf(name, manifest.spec.http);
  const raw = httpRules(stripOwnRoutes(object));
  const rules = manifest.spec.http.flatMap((rule, index): readonly (readonly [string, JsonObject])[] => {
    const written = raw[ruleAtLine(rule.at.line)];
    return written === undefined ? [] : [[(ids[index] ?? "").slice(name.length + 1), written]];
  });
  const annotations = object.metadata.annotations ?? {};
  const service = {
    rules: new Map(rules),
    ownRoutes: httpRules(object)
      .filter(isOwnRule)
      .map((rule) => asText(rule["name"]) ?? ""),
    movedBy: annotations[siteAnnotations.movedBy],
    movedAt: annotations[siteAnnotations.movedAt],
  };
  return [[name, service]];
}
