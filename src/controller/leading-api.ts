import { KubeError } from "../kubernetes/kube-error.ts";
import type { KubeApi } from "../kubernetes/kube-api.ts";

/**
 * The API server for as long as this process leads: reads always go through, writes only until the signal is aborted.
 * A leader that has lost its Lease in the middle of a step must not write what it has already decided, because the next
 * one decides anew.
 */
export function limitToTerm(api: KubeApi, over: AbortSignal): KubeApi {
  const check = (): void => {
    if (!over.aborted) return;
    throw new KubeError("KIR4071", "This controller no longer leads, so it writes nothing.", {
      exitStatus: 3,
      hint: "The controller that leads now goes on from here.",
      status: 403,
      reason: "NotLeading",
    });
  };
  return {
    context: api.context,
    defaultNamespace: api.defaultNamespace,
    get: (...args) => api.get(...args),
    list: (...args) => api.list(...args),
    watch: (...args) => api.watch(...args),
    getText: (...args) => api.getText(...args),
    openPort: (...args) => api.openPort(...args),
    canI: (...args) => api.canI(...args),
    serves: (...args) => api.serves(...args),
    async create(...args) {
      check();
      return await api.create(...args);
    },
    async replace(...args) {
      check();
      return await api.replace(...args);
    },
    async apply(...args) {
      check();
      return await api.apply(...args);
    },
    async mergePatch(...args) {
      check();
      return await api.mergePatch(...args);
    },
    async delete(...args) {
      check();
      return await api.delete(...args);
    },
    // It belongs to whoever has made it, and outlasts this term.
    async [Symbol.asyncDispose]() {},
  };
}
