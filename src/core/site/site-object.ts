/** An Istio object as the API server of a site gives it, as far as kirikae reads it; all other fields pass through. */
export interface SiteObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: SiteMeta;
  readonly spec?: unknown;
  readonly [field: string]: unknown;
}

export interface SiteMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly resourceVersion?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly managedFields?: readonly FieldOwner[];
  readonly [field: string]: unknown;
}

export interface FieldOwner {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly subresource?: string;
  readonly fieldsV1?: Readonly<Record<string, unknown>>;
}

/** The one name that kirikae writes under (Kubernetes, "Server-Side Apply", field manager). */
export const fieldManager = "kirikae";

/** Begins the names of routes that kirikae has added to a VirtualService for a release; nobody else's begin so. */
export const ownRoutePrefix = "kirikae/";

/** Annotations that kirikae writes and reads. */
export const siteAnnotations = {
  /** On VirtualServices: the release or the person whose weights are live. */
  movedBy: "kirikae.dev/moved-by",
  movedAt: "kirikae.dev/moved-at",
  /** On VirtualServices: the field managers whose weights kirikae may take over, separated by commas. */
  takesOverFrom: "kirikae.dev/takes-over-from",
  /** On VirtualServices: which destination entries kirikae has added, and weights that were not there (`added-entries.ts`). */
  added: "kirikae.dev/added",
  /** On Releases: an order for the controller, such as `promote`. */
  order: "kirikae.dev/order",
} as const;
