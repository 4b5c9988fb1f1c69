import { connectApi, type ApiClient } from "../api/client.ts";
import { locateStateFolder } from "../local/state-folder.ts";

/** The API of the `up` that runs with this state folder. Throws KIR5050 when there is none. */
export function connect(env: NodeJS.ProcessEnv): Promise<ApiClient> {
  const paths = locateStateFolder(env);
  return connectApi({ tokenFile: paths.token, addressFile: paths.apiAddress });
}
