import { errorText } from "../../../core/diagnostics/error-text.ts";
import { isNoAnswer } from "../../../targets/istio/is-no-answer.ts";
import type { IstiodPlace } from "../../../targets/istio/site-view.ts";
import type { SiteConnection } from "./connect-site.ts";

/** Every replica of istiod; a text says why they could not be listed. */
export async function findIstiods({
  istiods,
}: Pick<SiteConnection, "istiods">): Promise<readonly IstiodPlace[] | string> {
  try {
    return await istiods();
  } catch (error) {
    if (!isNoAnswer(error)) throw error;
    return errorText(error);
  }
}
