import { connect } from "node:http2";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.ts";
import { accessLogPath, FrameReader } from "./access-log-stream.ts";
import { XdsServer } from "./server.ts";

test("gRPC frames are cut wherever the chunks end", () => {
  const frame = Buffer.from([0, 0, 0, 0, 2, 7, 8]);
  const bytes = Buffer.concat([frame, frame]);
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const frames = new FrameReader();
    const messages = [...frames.take(bytes.subarray(0, cut)), ...frames.take(bytes.subarray(cut))];
    expect(messages.map((each) => [...each])).toEqual([
      [7, 8],
      [7, 8],
    ]);
  }
});

test("compressed or absurdly long frames are no access log", () => {
  expect(() => new FrameReader().take(Buffer.from([1, 0, 0, 0, 1, 9]))).toThrow(/compressed/);
  expect(() => new FrameReader().take(Buffer.from([0, 255, 255, 255, 255]))).toThrow(/no access log/);
});

test("a long message in tiny chunks is read in a time that grows with its length alone", () => {
  const length = 4_000_000;
  const frame = Buffer.alloc(5 + length, 1);
  frame[0] = 0;
  frame.writeUInt32BE(length, 1);
  const frames = new FrameReader();
  const messages: Uint8Array[] = [];
  const startMs = performance.now();
  for (let at = 0; at < frame.length; at += 100) messages.push(...frames.take(frame.subarray(at, at + 100)));
  expect(messages.map((each) => each.length)).toEqual([length]);
  // Copying what is there at every chunk would be 80 GB.
  expect(performance.now() - startMs).toBeLessThan(3_000);
});

test("a message that cannot be read ends its stream, is reported, and nothing else", async () => {
  await using folder = await temporaryFolder();
  const troubles: string[] = [];
  const socketPath = join(folder.path, "xds.sock");
  await using server = await XdsServer.start({ socketPath, onTrouble: (message) => troubles.push(message) });
  for (const bytes of [
    [0, 0, 0, 0, 2, 255, 255],
    [1, 0, 0, 0, 1, 9],
  ]) {
    const session = connect("http://unix", { path: socketPath });
    const stream = session.request({ ":method": "POST", ":path": accessLogPath });
    stream.on("error", () => undefined);
    stream.write(Buffer.from(bytes));
    await new Promise((resolve) => stream.once("close", resolve));
    session.destroy();
  }
  expect(server.isClosed).toBe(false);
  expect(troubles).toHaveLength(2);
  expect(troubles[0]).toMatch(/access log could not be read/);
});
