import { type IntendedDifference, intendedDifferences, type Topic } from "../../test/cluster/intended-differences.ts";

const topics: readonly (readonly [topic: Topic, heading: string])[] = [
  ["clients", "What clients see"],
  ["backends", "What backends see"],
  ["manifests", "What manifests may say"],
  ["operators", "What is done in another way, with the same result"],
];

/** docs/istio-differences.md: what the comparison with a real istiod leaves out, and why. */
export function renderDifferencesDocs(): string {
  return [
    "<!-- Written by `npm run docs` from test/cluster/intended-differences.ts. Do not edit. -->",
    "# Where kirikae differs from Istio on purpose",
    "",
    "The tests feed the same manifests to a real istiod and to kirikae (`test/cluster`, cases in `testdata/istiod`). Each",
    "drives an Envoy of its own, and the same requests have to end at the same backend, with the same path, headers and",
    "status. The routes, clusters and listeners that the two Envoys were told have to be the same too. What follows is all",
    "that the comparison leaves out. Any other difference is a mistake of kirikae: please report it.",
    "",
    "What is read of each kind, field by field, and what is refused: [Istio support](istio-support.md).",
    ...topics.flatMap(([topic, heading]) => renderTopic(topic, heading)),
    "",
  ].join("\n");
}

function renderTopic(topic: Topic, heading: string): readonly string[] {
  const found = intendedDifferences.filter(({ about }) => about === topic);
  return found.length === 0 ? [] : ["", `## ${heading}`, ...found.flatMap(renderDifference)];
}

function renderDifference({ title, istio, kirikae, why }: IntendedDifference): readonly string[] {
  return ["", `### ${title}`, "", `- **Istio:** ${istio}`, `- **kirikae:** ${kirikae}`, `- **Why:** ${why}`];
}
