import type { EntryShare, GitDiff, ServiceDiff } from "../../core/gitops/compare-services.ts";
import type { Ink } from "../ink.ts";

/** What a sync from git would undo, service by service. */
export function renderGitDiff({ services, absent, skipped }: GitDiff): (ink: Ink) => string {
  return (ink) => {
    const found = services.flatMap((service) => renderService(service, ink));
    const beside = [
      ...absent.map((name) => `VirtualService ${name} is not in the cluster.`),
      ...skipped.map(({ file, why }) => `${file} is left out: ${why}.`),
    ];
    const nothing = found.length === 0 ? ["A sync from git would undo nothing."] : [];
    return [...found, ...nothing, ...beside].join("\n");
  };
}

function renderService(diff: ServiceDiff, ink: Ink): readonly string[] {
  const { service, file, line, movedBy, movedAt } = diff;
  const moved = movedBy === undefined ? "" : `, moved by ${movedBy}${movedAt === undefined ? "" : ` at ${movedAt}`}`;
  return [
    `${ink.bold(`VirtualService ${service}`)} ${ink.dim(`${file}:${line}`)}${moved}`,
    ...diff.rules.map(
      ({ rule, git, live }) =>
        `  rule ${rule}: live ${ink.green(renderShares(live))}, git ${ink.red(renderShares(git))}`,
    ),
    ...diff.ownRoutes.map((name) => `  route ${name} is live, and git does not have it`),
    ...diff.onlyInGit.map((rule) => `  rule ${rule} is in git alone`),
    ...diff.onlyLive.map((rule) => `  rule ${rule} is live alone`),
  ];
}

function renderShares(shares: readonly EntryShare[]): string {
  if (shares.length === 0) return "nothing";
  return shares.map(({ to, percent }) => `${to} ${Math.round(percent * 100) / 100} %`).join(", ");
}
