import type { ErrorCodeEntry } from "./error-codes.ts";

/** `KIR4xxx`: clusters, their objects, their control plane and their proxies. A part of the table in `error-codes.ts`. */
export const siteErrors = {
  KIR4001: {
    title: "kubeconfig not usable",
    meaning:
      "The kubeconfig is not there, cannot be read, or names a cluster, user or proxy that cannot be used. Nothing was asked of a cluster.",
  },
  KIR4002: {
    title: "no such context",
    meaning: "The kubeconfig has no context of that name, or no current one. The error lists those it has.",
  },
  KIR4003: {
    title: "no credentials",
    meaning:
      "The kubeconfig's user has a plugin, a token file or a certificate that gave nothing to sign in with. The error says why.",
  },
  KIR4004: {
    title: "API server gave no answer",
    meaning:
      "The API server of the context cannot be reached, is overloaded or failed. What became of the request is not known.",
  },
  KIR4005: {
    title: "not allowed in the cluster",
    meaning: "RBAC (or admission) forbids this user or service account the request. The error names the right.",
  },
  KIR4006: {
    title: "field belongs to somebody else",
    meaning:
      "Another field manager owns the field, so nothing was written. Let it go of the field, or take it over in so many words.",
  },
  KIR4007: {
    title: "written in between",
    meaning: "Somebody else has written the object since it was read, so nothing was written.",
  },
  KIR4008: {
    title: "kind not served",
    meaning: "The cluster's API does not have this kind: Istio, or kirikae's own kind, is not installed there.",
  },
  KIR4009: {
    title: "not signed in to the cluster",
    meaning: "The API server does not accept the token or certificate of the context. Sign in again as for kubectl.",
  },
  KIR4010: {
    title: "pod not reachable",
    meaning:
      "A proxy or istiod could not be asked: neither by a port-forward nor through the API server's proxy. The error says why for each. Name its address with --istiod or --proxy-admin, or grant pods/portforward.",
  },
  KIR4011: {
    title: "refused by the API server",
    meaning: "The API server found the request or the object not valid. The error has its words.",
  },
  KIR4012: {
    title: "not in a cluster",
    meaning: "A command that runs in a pod found no service account. From outside of the cluster, use --context.",
  },
  KIR4013: {
    title: "history gone",
    meaning: "The API server no longer knows what happened since then. kirikae lists again by itself.",
  },
  KIR4020: {
    title: "rule not live",
    meaning: "The live VirtualService does not have the rule that was planned for, so nothing was written. Plan anew.",
  },
  KIR4021: {
    title: "weights not writable",
    meaning:
      "A VirtualService cannot hold these weights: they add up to 0, are no whole numbers, name a version that the rule does not have, or differ for one rule on two ports; or a second destination would change what headers requests carry.",
  },
  KIR4022: {
    title: "versions not clear",
    meaning:
      "Which entry of the live rule is which version cannot be told: destinations without a port lead to several, or somebody has changed the rule. Nothing was written.",
  },
  KIR4023: {
    title: "marks not writable",
    meaning:
      "The marks of a preview cannot stand beside the conditions of the rule in a VirtualService: Istio has one condition for each header and query parameter, and bounds their length. Choose other marks.",
  },
  KIR4024: {
    title: "mirror not writable",
    meaning:
      "A mirror in a delegate would take the place of those that the delegating VirtualService has, because Istio does not add them up.",
  },
  KIR4025: {
    title: "no session affinity in a cluster",
    meaning:
      "Istio draws a version for each request by itself. Leave sessionAffinity out of a release in a cluster, or use a preview with a cookie.",
  },
  KIR4026: {
    title: "no compared mirror in a cluster",
    meaning:
      "Comparing what copies answer needs a proxy of kirikae's own. Mirror without compare in a cluster, and judge the new version by its figures.",
  },
  KIR4027: {
    title: "routes of an unknown release",
    meaning:
      "The VirtualService holds routes of a release that this kirikae did not start, and taking them away could break it. End that release where it was started.",
  },
  KIR4028: {
    title: "preview would take other requests",
    meaning:
      "Several VirtualServices have rules for one host, and Istio would put the routes of a preview before those of the others, because it moves only rules without conditions to the end.",
  },
  KIR4029: {
    title: "version without a subset for some callers",
    meaning:
      "A DestinationRule with a workloadSelector or an exportTo gives some callers of the rule other subsets, and the version that would gain weight is not among them. Nothing was moved.",
  },
  KIR4030: {
    title: "preview would change other headers",
    meaning:
      "A rule and one of its destinations change the same header. Among others the destination does so before the rule, and alone, as it is in a preview, after it, so that testers would see other requests than visitors.",
  },
  KIR4040: {
    title: "istiod not reachable",
    meaning: "A replica of istiod did not answer at the address of --istiod, so nothing can be proved through it.",
  },
  KIR4041: {
    title: "routes of a release not live in the cluster",
    meaning:
      "A preview or a mirror was refused, or not every proxy has shown it in time. What was laid before is live again.",
  },
  KIR4042: {
    title: "no such DestinationRule",
    meaning: "A Release adds or removes subsets of a DestinationRule that is not in the cluster.",
  },
  KIR4043: {
    title: "a proxy refuses its routes",
    meaning:
      "A gateway or sidecar that needs the routes refuses those that istiod has sent it last, and would refuse the new ones too. Nothing was written. A rollback goes on without it, and says so.",
  },
  KIR4060: {
    title: "moved by the cluster",
    meaning:
      "A Release object of the cluster moves these rules and has not ended. Let it move them, or end it, before moving them by hand.",
  },
  KIR4061: {
    title: "subsets not proved",
    meaning: "What a release changes of a DestinationRule was refused, or not every proxy has shown it in time.",
  },
  KIR4062: {
    title: "nobody carries it out",
    meaning:
      "No `kirikae up --context` is running for this cluster, and what was asked for lasts longer than a command: the status page is served by one. Start it; it goes on with releases that were left.",
  },
  KIR4070: {
    title: "journals written by another controller",
    meaning:
      "Two controllers write the journals of the same Releases, because they do not use the same Lease. The one that noticed works on nothing.",
  },
  KIR4071: {
    title: "no longer leads",
    meaning: "This controller has lost its Lease, so it writes nothing; the one that leads now goes on.",
  },
  KIR4072: {
    title: "route of another namespace",
    meaning:
      "A Release in a cluster moves what is in its own namespace, because who may create it there need not have rights elsewhere.",
  },
  KIR4073: {
    title: "secret of the controller",
    meaning:
      "A Release in a cluster names a file or a variable of the controller's pod, whose secrets are not for everybody who may create Releases.",
  },
  KIR4074: {
    title: "order not taken",
    meaning:
      "The controller of the cluster has not answered an order in time, or has refused it. The error says which.",
  },
  KIR4075: {
    title: "journal that is not the Release's",
    meaning:
      "ConfigMaps of a Release say what it cannot have done, such as a move in another namespace. Whoever may write ConfigMaps there may have made them, so nothing of them is carried out.",
  },
  KIR4076: {
    title: "address of the controller's own machine",
    meaning:
      "A judge or a notification of a Release leads to loopback, to the link of the controller's machine, or to where a cloud provider gives machines their credentials. Nothing was sent there. A name is looked at when it is connected to.",
  },
  KIR4090: {
    title: "webhook port not usable",
    meaning: "The port of the admission webhook is taken or not allowed. Choose another with --webhook-port.",
  },
  KIR4091: {
    title: "webhook certificate not usable",
    meaning:
      "The files or the Secret with the webhook's certificate cannot be read, or the key is not the certificate's.",
  },
  KIR4092: {
    title: "object not checked",
    meaning:
      "The admission webhook could not judge an object in time, and says why. --webhook-failure says whether such objects pass.",
  },
  KIR4100: {
    title: "no VirtualService in git",
    meaning: "The files that were named hold no VirtualService, so that there is nothing to hold against the cluster.",
  },
  KIR4101: {
    title: "no cluster to compare with",
    meaning: "`kirikae gitops` holds files against one cluster. Name it with --context, or its objects with --live.",
  },
} as const satisfies Record<string, ErrorCodeEntry>;
