import type { KubeObject } from "../../kubernetes/kube-object.ts";

/** The `spec` of an object, as far as a reader names its fields; the API server has checked it against its schema. */
export function readSpec<Spec extends object>(object: KubeObject | undefined): Partial<Spec> {
  return object?.["spec"] ?? {};
}

/** The `status` of an object, as far as a reader names its fields; empty where its controller has written none. */
export function readStatus<Status extends object>(object: KubeObject): Partial<Status> {
  return object["status"] ?? {};
}
