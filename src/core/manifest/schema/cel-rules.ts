import type { JsonSchema } from "./build-schema.ts";

/** A rule that the API server checks, in its expression language (CEL), where the schema itself cannot say it. */
export interface CelRule {
  readonly rule: string;
  readonly message: string;
  /** The same, or nearly, in the words of a schema, for where rules cannot be. */
  readonly otherwise?: JsonSchema;
}

/**
 * By the end of the field's path, as `describedFields`. The API server estimates what a rule may cost from the bounds of
 * lists and strings, so a rule that compares items with each other needs a short list (`mostItems` of `build-crd.ts`).
 * A field that has a short and a long form has no type there: no rule can name it, and none can be within it. Those are
 * `cohorts`, `hold`, `bake`, `weight` of a step, `latency`, `maxDuration` and the values of marks.
 */
export const celRules: Readonly<Record<string, readonly CelRule[] | undefined>> = {
  "Release.spec": [
    { rule: "!has(self.from) || self.from != self.to", message: "to must be another version than from" },
  ],
  "spec.routes": [
    {
      rule: "self.all(one, self.exists_one(other, other.virtualService == one.virtualService && (has(other.route) ? other.route : '') == (has(one.route) ? one.route : '')))",
      message: "names a VirtualService twice; name different rules of it, or name it once",
    },
  ],
  "spec.takeOver": [unique("names a manager twice")],
  "sites.contexts": [unique("names a context twice")],
  "spec.subsets": [
    {
      rule: "self.all(one, self.exists_one(other, other.destinationRule == one.destinationRule))",
      message: "names a DestinationRule twice",
    },
  ],
  "spec.subsets[]": [
    {
      rule: "(has(self.add) && size(self.add) > 0) || (has(self.remove) && size(self.remove) > 0)",
      message: "adds no subset and removes none",
    },
    {
      rule: "!has(self.add) || !has(self.remove) || self.add.all(one, !(one.name in self.remove))",
      message: "adds and removes the same subset",
    },
  ],
  "subsets[].add": [
    { rule: "self.all(one, self.exists_one(other, other.name == one.name))", message: "names a subset twice" },
  ],
  "subsets[].remove": [unique("names a subset twice")],
  "spec.strategy": [
    {
      rule: "[has(self.blueGreen), has(self.canary), has(self.abTest), has(self.mirrorFirst), has(self.steps)].filter(given, given).size() <= 1",
      message: "give one of blueGreen, canary, abTest, mirrorFirst, cohorts and steps",
    },
  ],
  "strategy.mirrorFirst": [
    {
      rule: "!has(self.check) || !has(self.check.differences) || has(self.mirror.compare)",
      message:
        "checks the differences of answers that are not compared; say in mirror.compare what is, such as {body: true}",
    },
  ],
  "strategy.steps[]": [
    {
      rule: "[has(self.preview), has(self.mirror), has(self.switch), has(self.approve), has(self.check), has(self.finish)].filter(given, given).size() <= 1",
      message: "give each step one of preview, mirror, weight, switch, hold, approve, check, bake and finish",
    },
  ],
  "canary.weights": risingRules(),
  "mirrorFirst.weights": risingRules(),
  "cohorts[]": [
    {
      rule: "has(self.match) != has(self.weight)",
      message:
        "give each cohort either match, for those who can be told by a mark, or weight, for a share of everybody",
      otherwise: exactlyOne("match", "weight"),
    },
  ],
  "check.judges": [
    {
      rule: "self.all(one, self.exists_one(other, other.name == one.name))",
      message: "each judge needs a name of its own",
    },
  ],
  "check.judges[]": [
    {
      rule: "[has(self.prometheus), has(self.http), has(self.command)].filter(given, given).size() == 1",
      message: "give one of prometheus, http and command",
      otherwise: exactlyOne("prometheus", "http", "command"),
    },
  ],
  "judges[].http": [
    {
      rule: "!has(self.body) || (has(self.method) && self.method != 'GET')",
      message: "sends a body by GET; give method: POST",
    },
    oneSecret(),
  ],
  "judges[].prometheus": [oneSecret()],
  bearer: onePlace(),
  "basicAuth.password": onePlace(),
  "webhook.secret": onePlace(),
  "spec.notifications[]": [{ rule: "has(self.log) != has(self.webhook)", message: "give one of log and webhook" }],
};

function unique(message: string): CelRule {
  return { rule: "self.all(one, self.exists_one(other, other == one))", message };
}

function risingRules(): readonly CelRule[] {
  const message = "must rise from above 0 to below 100; everything moves by itself in the end";
  return [
    {
      rule: "self.isSorted() && self.all(one, one < 100.0 && self.exists_one(other, other == one))",
      message,
    },
  ];
}

function oneSecret(): CelRule {
  return {
    rule: "!has(self.bearer) || !has(self.basicAuth)",
    message: "give one of bearer and basicAuth",
    otherwise: { not: { required: ["bearer", "basicAuth"] } },
  };
}

function onePlace(): readonly CelRule[] {
  return [
    {
      rule: "has(self.fromFile) != has(self.fromEnvironment)",
      message: "give one of fromFile and fromEnvironment",
      otherwise: exactlyOne("fromFile", "fromEnvironment"),
    },
  ];
}

function exactlyOne(...fields: readonly string[]): JsonSchema {
  return { oneOf: fields.map((field) => ({ required: [field] })) };
}
