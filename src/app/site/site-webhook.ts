import type { KubeApi } from "../../kubernetes/kube-api.ts";
import { kubeKinds } from "../../kubernetes/kube-kinds.ts";
import type { FailurePolicy } from "../../webhook/admission-review.ts";
import type { CertificateFiles } from "../../webhook/serving-certificate.ts";
import { startWebhook, type Webhook } from "../../webhook/start-webhook.ts";
import { isAboutSecret } from "./mesh/assumed-secrets.ts";
import { SiteMesh } from "./mesh/site-mesh.ts";
import type { SiteObjects } from "./objects/site-objects.ts";

export interface SiteWebhookOptions {
  readonly api: KubeApi;
  /** Kept current by watches. */
  readonly objects: SiteObjects & { isStale(maxAgeMs: number): boolean };
  readonly istioNamespace: string;
  /** Where kirikae runs, its Service and its Secret. */
  readonly namespace: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly failure: FailurePolicy;
  /** Undefined makes and keeps one in the cluster. */
  readonly files: CertificateFiles | undefined;
  /** Names beside those of the Service that the API server may call it by. */
  readonly hosts?: readonly string[];
  readonly onNote: (text: string) => void;
}

/** Objects that are older are not what is judged by: the other replica, or the API server itself, may know better. */
const staleMs = 30_000;

/**
 * The admission webhook of a cluster, on objects that watches keep. Its own SiteMesh only names their texts; nothing is
 * built until something is asked.
 */
export function startSiteWebhook(options: SiteWebhookOptions): Promise<Webhook> {
  const { api, objects, istioNamespace, namespace, files, hosts = [] } = options;
  const mesh = new SiteMesh({ objects, defaultNamespace: "default", istioNamespace, context: api.context });
  return startWebhook({
    port: options.port,
    failure: options.failure,
    view: {
      sources: () => (objects.isStale(staleMs) ? undefined : mesh.sources()),
      leavesOut: isAboutSecret,
      releases: () => objects.objects(kubeKinds.release),
    },
    certificate: files === undefined ? { kind: "secret", api, namespace, hosts } : { kind: "files", ...files },
    onNote: options.onNote,
    now: () => Date.now(),
  });
}
