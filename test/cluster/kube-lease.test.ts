import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, vi } from "vitest";
import { connectKube } from "../../src/kubernetes/connect-kube.ts";
import type { KubeApi } from "../../src/kubernetes/kube-api.ts";
import { kubeKinds } from "../../src/kubernetes/kube-kinds.ts";
import { Leadership, type LeadershipOptions } from "../../src/kubernetes/lease.ts";
import type { Cluster } from "./cluster.ts";
import { CutConnection } from "./cut-connection.ts";
import { describeCluster, test } from "./shared-cluster.ts";

const namespace = "kube-lease";
const leaseMs = 3_000;
const soon = { timeout: 30_000, interval: 20 };
const program = fileURLToPath(new URL("kube-lease-process.ts", import.meta.url));

type Told = readonly [identity: string, what: "leads" | "lost", atMs: number];

/** One who stands for election, and writes down when its work began and ended. */
class Candidate implements AsyncDisposable {
  readonly leadership: Leadership;
  readonly #api: KubeApi;

  constructor(api: KubeApi, options: Pick<LeadershipOptions, "lease" | "identity"> & { readonly told: Told[] }) {
    const { told, identity, lease } = options;
    this.#api = api;
    this.leadership = Leadership.start({
      api,
      lease,
      identity,
      leaseMs,
      retryMs: 200,
      onLead: async (signal) => {
        told.push([identity, "leads", performance.now()]);
        if (!signal.aborted) await once(signal, "abort");
        told.push([identity, "lost", performance.now()]);
      },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leadership[Symbol.asyncDispose]();
    await this.#api[Symbol.asyncDispose]();
  }
}

function connect(cluster: Cluster): Promise<KubeApi> {
  return connectKube({ kubeconfig: cluster.api.kubeconfig, context: "admin", env: {} });
}

async function connectThrough(cluster: Cluster, cut: CutConnection): Promise<KubeApi> {
  const text = await readFile(cluster.api.kubeconfig, "utf8");
  const file = join(cluster.folder, `lease-${cut.port}.json`);
  await writeFile(file, text.replaceAll(/https:\/\/127\.0\.0\.1:\d+/gu, `https://127.0.0.1:${cut.port}`));
  return connectKube({ kubeconfig: file, env: {} });
}

async function startCut(cluster: Cluster): Promise<CutConnection> {
  const text = await readFile(cluster.api.kubeconfig, "utf8");
  return CutConnection.start(Number(/https:\/\/127\.0\.0\.1:(\d+)/u.exec(text)?.[1]));
}

/** Terms that follow each other and never overlap. */
function expectOneAtATime(told: readonly Told[]): void {
  let leader: string | undefined;
  for (const [identity, what] of told.toSorted(([, , left], [, , right]) => left - right)) {
    expect({ leader, identity, what }).toEqual(
      what === "leads" ? { leader: undefined, identity, what } : { leader: identity, identity, what },
    );
    leader = what === "leads" ? identity : undefined;
  }
}

describeCluster("a Lease of a real API server", () => {
  test.beforeAll(async ({ cluster }) => {
    await cluster.restore();
    await cluster.client.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  });

  test("one of three leads, and another at once when it gives the Lease back", async ({ cluster }) => {
    const told: Told[] = [];
    const lease = { namespace, name: "three" };
    const candidates = new Map<string, Candidate>();
    for (const identity of ["a", "b", "c"]) {
      candidates.set(identity, new Candidate(await connect(cluster), { lease, identity, told }));
    }
    try {
      for (let left = 3; left > 0; left -= 1) {
        await vi.waitFor(() => expect(told.filter(([, what]) => what === "leads")).toHaveLength(4 - left), soon);
        const leaders = [...candidates].filter(([, { leadership }]) => leadership.isLeader);
        expect(leaders.map(([identity]) => identity)).toEqual([told.at(-1)?.[0]]);
        const [identity = "", leader] = leaders[0] ?? [];
        candidates.delete(identity);
        const beganAtMs = performance.now();
        await leader?.[Symbol.asyncDispose]();
        if (left === 1) break;
        await vi.waitFor(() => expect(told.at(-1)?.[1]).toBe("leads"), soon);
        // Nobody had to wait for the end of the Lease.
        expect(performance.now() - beganAtMs).toBeLessThan(leaseMs);
      }
    } finally {
      for (const candidate of candidates.values()) await candidate[Symbol.asyncDispose]();
    }
    expectOneAtATime(told);
    await using api = await connect(cluster);
    expect(await api.get(kubeKinds.lease, lease)).toMatchObject({ spec: { holderIdentity: "", leaseTransitions: 2 } });
  });

  for (const fault of ["cut", "silence"] as const) {
    test(`a leader whose connection is ${fault === "cut" ? "cut" : "silent"} stops before another begins`, async ({
      cluster,
    }) => {
      const told: Told[] = [];
      const lease = { namespace, name: fault };
      await using cut = await startCut(cluster);
      await using first = new Candidate(await connectThrough(cluster, cut), { lease, identity: "first", told });
      await vi.waitFor(() => expect(first.leadership.isLeader).toBe(true), soon);
      await using second = new Candidate(await connect(cluster), { lease, identity: "second", told });
      // Renewed for longer than a Lease lasts.
      await delay(leaseMs * 1.2);
      expect(told.map(([identity, what]) => `${identity} ${what}`)).toEqual(["first leads"]);
      cut[fault]();
      await vi.waitFor(() => expect(second.leadership.isLeader).toBe(true), soon);
      expect(first.leadership.isLeader).toBe(false);
      expect(told.map(([identity, what]) => `${identity} ${what}`)).toEqual([
        "first leads",
        "first lost",
        "second leads",
      ]);
      cut.open();
      await delay(leaseMs);
      expect(first.leadership.isLeader).toBe(false);
      expectOneAtATime(told);
    });
  }

  test("a leader that is killed is followed when its Lease has ended", async ({ cluster }) => {
    const told: Told[] = [];
    const lease = { namespace, name: "killed" };
    const args = [program, cluster.api.kubeconfig, namespace, lease.name, "doomed", String(leaseMs)];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    try {
      const [line] = await once(createInterface({ input: child.stdout }), "line");
      expect(line).toBe("leads");
      await using heir = new Candidate(await connect(cluster), { lease, identity: "heir", told });
      await delay(leaseMs / 2);
      expect(heir.leadership.isLeader).toBe(false);
      const killedAtMs = performance.now();
      child.kill("SIGKILL");
      await vi.waitFor(() => expect(heir.leadership.isLeader).toBe(true), soon);
      expect((told[0]?.[2] ?? 0) - killedAtMs).toBeGreaterThan(leaseMs / 2);
    } finally {
      child.kill("SIGKILL");
    }
  });

  test("a leader whose Lease somebody labels leads on", async ({ cluster, kubectl }) => {
    const told: Told[] = [];
    const lease = { namespace, name: "labelled" };
    await using only = new Candidate(await connect(cluster), { lease, identity: "only", told });
    await vi.waitFor(() => expect(only.leadership.isLeader).toBe(true), soon);
    for (const value of ["1", "2", "3"]) {
      await kubectl.run(["label", "lease", lease.name, "-n", namespace, "--overwrite", `seen=${value}`]);
    }
    await delay(leaseMs);
    expect(only.leadership.isLeader).toBe(true);
    expect(told).toHaveLength(1);
  });

  test("the API server may be away for a moment without a change of leaders", async ({ cluster }) => {
    const told: Told[] = [];
    await using cut = await startCut(cluster);
    await using only = new Candidate(await connectThrough(cluster, cut), {
      lease: { namespace, name: "blink" },
      identity: "only",
      told,
    });
    await vi.waitFor(() => expect(only.leadership.isLeader).toBe(true), soon);
    cut.cut();
    await delay(500);
    cut.open();
    await delay(leaseMs);
    expect(only.leadership.isLeader).toBe(true);
    expect(told).toHaveLength(1);
  });
});
