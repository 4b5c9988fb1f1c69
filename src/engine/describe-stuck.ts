/** What went wrong, and what was found when it was taken back, in one sentence. */
export function describeStuck(reason: string, notBackBecause: string): string {
  return `${withoutStop(reason)}; taken back, that was not proved either: ${withoutStop(notBackBecause)}.`;
}

function withoutStop(sentence: string): string {
  return sentence.replace(/\.$/u, "");
}
