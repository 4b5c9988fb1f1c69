/** The API server takes no object above 1.5 MiB of JSON by default, and etcd none above that; clusters raise it. */
const longestLine = 32 * 1024 * 1024;

/**
 * Cuts a stream of bytes into lines. Characters and lines may be cut anywhere between two chunks; what follows the last
 * line break is no line, because it may be half of one.
 * @throws Error for a line that is too long
 */
export async function* readLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let pending: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let to = chunk.indexOf(0x0a); to !== -1; to = chunk.indexOf(0x0a, from)) {
      pending.push(chunk.subarray(from, to));
      const line = Buffer.concat(pending).toString("utf8");
      pending = [];
      bytes = 0;
      from = to + 1;
      if (line.trim() !== "") yield line;
    }
    if (from === chunk.length) continue;
    pending.push(chunk.subarray(from));
    bytes += chunk.length - from;
    if (bytes > longestLine) throw new Error(`a line of its answer is longer than ${longestLine} bytes`);
  }
}
