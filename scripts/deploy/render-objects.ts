import { Document, isMap, isSeq } from "yaml";
import type { DeployObject } from "./deploy-object.ts";

/** One document of YAML, with what is said of the object and of each of its rules. */
export function renderObject({ object, comment, ruleComments }: DeployObject): string {
  const document = new Document(object, { aliasDuplicateObjects: false });
  const rules = document.get("rules");
  if (isSeq(rules) && ruleComments !== undefined) {
    for (const [index, rule] of rules.items.entries()) {
      if (isMap(rule)) rule.commentBefore = ` ${ruleComments[index] ?? ""}`;
    }
  }
  const said = comment === undefined ? "" : comment.replaceAll(/^/gmu, "# ") + "\n";
  return said + document.toString({ lineWidth: 0, flowCollectionPadding: true });
}
