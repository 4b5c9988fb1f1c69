import { type Arbitrary, boolean, constant, constantFrom, nat, oneof, record, subarray, tuple } from "fast-check";
import type { ReleaseCommand } from "../../src/core/release/state/release-state.ts";
import type { ApplyBehaviour } from "../../src/targets/recording.ts";
import { destinationOf, type ServiceName, serviceNames, strategies } from "./model-releases.ts";
import type { Answers } from "./model-answers.ts";
import type { ReleaseWorld } from "./release-world.ts";

/** Something that happens to the world; readable, because a failing sequence is printed. */
export type WorldEvent =
  | { readonly kind: "start"; readonly strategy: number; readonly services: readonly ServiceName[] }
  | { readonly kind: "command"; readonly release: number; readonly command: ReleaseCommand; readonly actor: string }
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "jump"; readonly ms: number }
  | { readonly kind: "crash" }
  | { readonly kind: "proxies"; readonly behaviours: readonly ApplyBehaviour[] }
  | { readonly kind: "visible"; readonly isVisible: boolean }
  | {
      readonly kind: "endpoints";
      readonly service: ServiceName;
      readonly version: "blue" | "green";
      readonly dead: boolean;
    }
  | { readonly kind: "answers"; readonly answers: Answers }
  | { readonly kind: "disk"; readonly failures: number }
  | { readonly kind: "routes"; readonly failures: number }
  | { readonly kind: "hand"; readonly service: ServiceName; readonly green: number }
  | { readonly kind: "save"; readonly service: ServiceName; readonly green: number }
  | { readonly kind: "subset"; readonly does: "put" | "drop"; readonly service: ServiceName; readonly name: string };

/** Every order that people can give. */
const commands: readonly ReleaseCommand[] = [
  { kind: "promote", full: false },
  { kind: "promote", full: true },
  { kind: "promote", full: false, despiteFreeze: true },
  { kind: "pause" },
  { kind: "resume" },
  { kind: "approve" },
  { kind: "approve" },
  { kind: "reject" },
  { kind: "retry" },
  { kind: "abort" },
  { kind: "rollback" },
  { kind: "rollback", now: true },
  { kind: "rollback", despiteChanges: true },
  { kind: "set", shares: 70 },
  { kind: "set", shares: { green: 0, blue: 100 } },
];

const behaviours: readonly ApplyBehaviour[] = [
  { kind: "reject", message: "no" },
  { kind: "reject", message: "somebody else was faster", isUntouched: true },
  { kind: "slow", durationMs: 400 },
  { kind: "slow", durationMs: 5_000 },
  { kind: "partial" },
  { kind: "obey" },
];

const released = subarray<ServiceName>(["web", "api", "pay"], { minLength: 1, maxLength: 2 });
const service = constantFrom(...serviceNames);
const green = constantFrom(0, 20, 100);

/** Starting, ordering and waiting come most often, because they are what makes the rest matter. */
export const worldEvent: Arbitrary<WorldEvent> = oneof(
  {
    weight: 3,
    arbitrary: record({ kind: constant("start" as const), strategy: nat(strategies.length - 1), services: released }),
  },
  {
    weight: 6,
    arbitrary: record({
      kind: constant("command" as const),
      release: nat(2),
      command: constantFrom(...commands),
      actor: constantFrom("ann", "bob"),
    }),
  },
  {
    weight: 6,
    arbitrary: record({ kind: constant("wait" as const), ms: constantFrom(100, 700, 1_500, 6_000, 25_000) }),
  },
  { weight: 1, arbitrary: record({ kind: constant("jump" as const), ms: constantFrom(-60_000, 7_200_000) }) },
  { weight: 1, arbitrary: constant({ kind: "crash" as const }) },
  {
    weight: 2,
    arbitrary: tuple(constantFrom(...behaviours), constantFrom(...behaviours)).map((drawn) => ({
      kind: "proxies" as const,
      behaviours: drawn,
    })),
  },
  { weight: 1, arbitrary: record({ kind: constant("visible" as const), isVisible: boolean() }) },
  {
    weight: 2,
    arbitrary: record({
      kind: constant("endpoints" as const),
      service,
      version: constantFrom("blue" as const, "green" as const),
      dead: boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: record({
      kind: constant("answers" as const),
      answers: constantFrom<Answers[]>("good", "bad", "flapping", "none", "unseen"),
    }),
  },
  { weight: 1, arbitrary: record({ kind: constant("disk" as const), failures: constantFrom(1, 2, 5) }) },
  { weight: 1, arbitrary: record({ kind: constant("routes" as const), failures: constantFrom(1, 3) }) },
  { weight: 1, arbitrary: record({ kind: constant("hand" as const), service, green }) },
  { weight: 1, arbitrary: record({ kind: constant("save" as const), service, green }) },
  {
    weight: 1,
    arbitrary: record({
      kind: constant("subset" as const),
      does: constantFrom("put" as const, "drop" as const),
      service,
      name: constantFrom("blue", "teal"),
    }),
  },
);

export async function happen(world: ReleaseWorld, event: WorldEvent): Promise<void> {
  switch (event.kind) {
    case "start":
      return await world.start(event.strategy, event.services);
    case "command":
      return await world.command(event.release, event.command, event.actor);
    case "wait":
      return await world.clock.advance(event.ms);
    case "jump":
      return world.clock.jump(event.ms);
    case "crash":
      return await world.crash();
    case "proxies":
      return world.target.behave(...event.behaviours);
    case "visible":
      return world.target.setVisible(event.isVisible);
    case "endpoints":
      return setEndpoints(world, event);
    case "answers":
      world.answers = event.answers;
      return;
    case "disk":
      world.journal.failures = event.failures;
      return;
    case "routes":
      world.layFailures = event.failures;
      return;
    case "hand":
      return await world.moveByHand(event.service, event.green);
    case "save":
      return await world.save(event.service, event.green);
    case "subset":
      return world.meddle(event.does, { service: event.service, name: event.name });
  }
}

function setEndpoints(
  world: ReleaseWorld,
  { service, version, dead }: Extract<WorldEvent, { kind: "endpoints" }>,
): void {
  const id = destinationOf(service, version);
  if (dead) world.target.dead.add(id);
  else world.target.dead.delete(id);
}
