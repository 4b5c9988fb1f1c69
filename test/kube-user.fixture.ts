import type { ConfigUser } from "../src/kubernetes/kubeconfig.ts";

/** A user of a kubeconfig who has nothing to show. */
export const nobody: ConfigUser = {
  token: undefined,
  tokenFile: undefined,
  certificate: undefined,
  key: undefined,
  basic: undefined,
  exec: undefined,
  authProvider: undefined,
  impersonate: undefined,
};
