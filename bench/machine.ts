import { cpus, loadavg, release, totalmem, type } from "node:os";

/** One line that says where and when figures were measured. */
export function describeMachine(): string {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  const date = new Date().toISOString().slice(0, 10);
  return `${date}, ${cpus().length} x ${cpu?.model.trim() ?? "unknown processor"}, ${memory} GiB, ${type()} ${release()}, Node ${process.versions.node}`;
}

/** Of what runs beside the benchmark; 2 is all of two processors. */
export function describeLoad(): string {
  return `load average ${loadavg()
    .map((value) => value.toFixed(1))
    .join(" / ")}`;
}
