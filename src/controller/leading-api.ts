import { KubeError } from "../kubernetes/kube-error.ts";
import type { KubeApi, WriteOptions } from "../kubernetes/kube-api.ts";

/**
 * The API server for as long as this process leads: reads always go through, writes only until the signal is aborted, and
 * one that is still waiting for its turn or its answer then is broken off. A leader that has lost its Lease in the middle
 * of a step must not write what it has already decided, because the next one decides anew.
 */
export function limitToTerm(api: KubeApi, over: AbortSignal): KubeApi {
  const write = async <Answer>(send: () => Promise<Answer>): Promise<Answer> => {
    if (over.aborted) throw notLeading();
    try {
      return await send();
    } catch (error) {
      throw over.aborted ? notLeading() : error;
    }
  };
  const limited = <Options extends WriteOptions>(options: Options): Options => ({
    ...options,
    signal: options.signal === undefined ? over : AbortSignal.any([over, options.signal]),
  });
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
    create: (kind, object, options = {}) => write(() => api.create(kind, object, limited(options))),
    replace: (kind, object, options = {}) => write(() => api.replace(kind, object, limited(options))),
    apply: (kind, object, options) => write(() => api.apply(kind, object, limited(options))),
    mergePatch: (kind, name, options) => write(() => api.mergePatch(kind, name, limited(options))),
    delete: (...args) => write(() => api.delete(...args)),
    // It belongs to whoever has made it, and outlasts this term.
    async [Symbol.asyncDispose]() {},
  };
}

function notLeading(): KubeError {
  return new KubeError("KIR4071", "This controller no longer leads, so it writes nothing.", {
    exitStatus: 3,
    hint: "The controller that leads now goes on from here.",
    status: 403,
    reason: "NotLeading",
  });
}
