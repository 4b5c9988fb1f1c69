/** A Release that the API server stores although kirikae refuses it; the webhook and the controller say so. */
export interface CrdDifference {
  /** What kirikae says of it. */
  readonly complaint: RegExp;
  readonly because: string;
}

export const crdDifferences: readonly CrdDifference[] = [
  {
    complaint:
      /(hold|bake|maxDuration|cohorts\[\d+\]|latency\[\d+\]|headers\.\S+|cookies\.\S+|queryParams\.\S+)\.zz\w*" is not a field/u,
    because:
      "a field with a short and a long form has no type in a structural schema, and unknown fields stay below it",
  },
  {
    complaint: /labels\.\S+" must be the value of a label/u,
    because: "no object can have such a label, so it selects nothing",
  },
  { complaint: /freezes\[\d+\]\.cron"/u, because: "cron expressions are read with a calendar" },
  { complaint: /freezes\[\d+\]\.timeZone"/u, because: "the names of time zones are a list of their own" },
  {
    complaint: /"[^"]*\.(url|address)" (is no address of HTTP|must be an absolute address)/u,
    because: "addresses are parsed, not matched",
  },
  {
    complaint: /"spec\.sessionAffinity\.cookie" must be the name of a cookie/u,
    because: "an HTTP token is not worth a pattern of its own",
  },
  { complaint: /methods\[\d+\]" must be a method/u, because: "the same" },
  { complaint: /latency" must not be empty/u, because: "it has two forms, and the empty one of each says the same" },
  { complaint: /cohorts" has two cohorts named/u, because: "no rule reaches into a field with two forms" },
  {
    complaint: /match\[\d+\]" asks for nothing/u,
    because: "the values of marks have two forms, so no rule counts them",
  },
  { complaint: /weight" must add up to at most 100/u, because: "no rule reaches into a field with two forms" },
  { complaint: /command" must begin with the program/u, because: "what a word stands for is known when it is run" },
];
