import { stringify } from "yaml";
import { fieldManager, ownRoutePrefix, siteAnnotations } from "../site/site-object.ts";

/** A VirtualService by name; without any, settings are for all. */
export interface NamedService {
  readonly namespace: string | undefined;
  readonly name: string;
}

export type GitOpsTool = "argo-cd" | "flux";

/** One object or fragment to be merged into one, with what it is for. */
export interface IgnoreSetting {
  /** Whole sentences, for people. */
  readonly why: readonly string[];
  readonly object: object;
}

/**
 * What makes a GitOps tool leave alone what kirikae writes, and understand a Release. Sources: Argo CD, "Diffing
 * Customization", "Sync Options" (RespectIgnoreDifferences) and "Resource Health" (argocd-cm); Flux, "Kustomization",
 * `.spec.ignore` (Flux 2.9) and the annotation `kustomize.toolkit.fluxcd.io/ssa`.
 */
export function buildIgnoreSettings(tool: GitOpsTool, services: readonly NamedService[]): readonly IgnoreSetting[] {
  return tool === "argo-cd" ? [argoApplication(services), argoHealth] : [fluxKustomization(services), fluxObject];
}

/** As YAML documents, each with its reasons in front. */
export function renderIgnoreSettings(settings: readonly IgnoreSetting[]): string {
  return settings
    .map(({ why, object }) => `${why.map((line) => `# ${line}\n`).join("")}${stringify(object, { lineWidth: 0 })}`)
    .join("---\n");
}

function argoApplication(services: readonly NamedService[]): IgnoreSetting {
  const difference = {
    group: "networking.istio.io",
    kind: "VirtualService",
    jqPathExpressions: [
      ".spec.http[]?.route[]?.weight",
      `.spec.http[]? | select((.name // "") | startswith("${ownRoutePrefix}"))`,
      ...Object.values(ownAnnotations).map((name) => `.metadata.annotations."${name}"`),
    ],
    managedFieldsManagers: [fieldManager],
  };
  const named = services.map(({ namespace, name }) => ({
    ...difference,
    name,
    ...(namespace === undefined ? {} : { namespace }),
  }));
  return {
    why: [
      "Merge this into each Application that holds these VirtualServices.",
      `What ${fieldManager} owns in spec.http is left alone; changes of those rules in git arrive once its field manager is gone.`,
    ],
    object: {
      apiVersion: "argoproj.io/v1alpha1",
      kind: "Application",
      spec: {
        ignoreDifferences: named.length === 0 ? [difference] : named,
        syncPolicy: { syncOptions: ["RespectIgnoreDifferences=true"] },
      },
    },
  };
}

const { movedBy, movedAt, added } = siteAnnotations;
const ownAnnotations = { movedBy, movedAt, added };

/** A Release is healthy when it is done, degraded when it has failed, and suspended while it waits for somebody. */
const healthScript = `hs = {status = "Progressing", message = "Waiting for the controller"}
if obj.status == nil or obj.status.conditions == nil then
  return hs
end
if obj.status.observedGeneration ~= nil and obj.status.observedGeneration < obj.metadata.generation then
  return hs
end
hs.message = obj.status.message or ""
for _, condition in ipairs(obj.status.conditions) do
  if condition.status == "True" then
    if condition.type == "Failed" then
      hs.status = "Degraded"
      hs.message = condition.message
      return hs
    elseif condition.type == "Ready" then
      hs.status = "Healthy"
      hs.message = condition.message
    elseif condition.type == "Paused" then
      hs.status = "Suspended"
      hs.message = condition.message
    end
  end
end
return hs
`;

const argoHealth: IgnoreSetting = {
  why: ["Merge this into the ConfigMap of Argo CD, so that an Application waits for its Releases."],
  object: {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: "argocd-cm",
      namespace: "argocd",
      labels: { "app.kubernetes.io/name": "argocd-cm", "app.kubernetes.io/part-of": "argocd" },
    },
    data: { "resource.customizations.health.kirikae.dev_Release": healthScript },
  },
};

function fluxKustomization(services: readonly NamedService[]): IgnoreSetting {
  const target = { group: "networking\\.istio\\.io", kind: "VirtualService" };
  const targets = services.map(({ namespace, name }) => ({
    ...target,
    name: exactly(name),
    ...(namespace === undefined ? {} : { namespace: exactly(namespace) }),
  }));
  return {
    why: [
      "Flux 2.9 and newer: merge this into each Kustomization that holds these VirtualServices.",
      "Flux has no finer path than the whole list; changes of its rules in git do not arrive meanwhile.",
    ],
    object: {
      apiVersion: "kustomize.toolkit.fluxcd.io/v1",
      kind: "Kustomization",
      spec: {
        ignore: (targets.length === 0 ? [target] : targets).map((each) => ({ paths: ["/spec/http"], target: each })),
      },
    },
  };
}

/** Names are expressions there, and those of objects have dots. */
function exactly(name: string): string {
  return `^${name.replaceAll(".", String.raw`\.`)}$`;
}

const fluxObject: IgnoreSetting = {
  why: [
    "In git, on each VirtualService: whoever has applied it with server-side apply hands its weights over to kirikae.",
    "Before Flux 2.9, the annotation ssa makes Flux create the object and leave it alone from then on.",
  ],
  object: {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: {
      annotations: {
        [siteAnnotations.takesOverFrom]: "kustomize-controller",
        "kustomize.toolkit.fluxcd.io/ssa": "IfNotPresent",
      },
    },
  },
};
