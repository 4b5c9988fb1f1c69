/** The path that the API server posts its questions to. */
export const admissionPath = "/validate";

/** The name of the webhook within its ValidatingWebhookConfiguration. */
export const admissionWebhookName = "check.kirikae.dev";

/** What is judged before it is stored. Other versions of a group are turned into these by the API server. */
export const judgedKinds = [
  {
    group: "networking.istio.io",
    version: "v1",
    resources: ["virtualservices", "destinationrules", "gateways", "serviceentries", "sidecars"],
  },
  { group: "kirikae.dev", version: "v1alpha1", resources: ["releases"] },
] as const;
