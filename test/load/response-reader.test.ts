import { expect, test } from "vitest";
import { ResponseReader, type ResponseHead } from "./response-reader.ts";

const answers = [
  {
    name: "a body of known length",
    text: "HTTP/1.1 200 OK\r\nX-Color: blue\r\nContent-Length: 5\r\n\r\nblue\n",
    head: { status: 200, version: "blue", keepsAlive: true },
  },
  {
    name: "chunks, an extension and a trailer",
    text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nx-color: green\r\n\r\n5;a=b\r\ngreen\r\nc\r\n0123456789\r\n\r\n0\r\nx-t: 1\r\n\r\n",
    head: { status: 200, version: "green", keepsAlive: true },
  },
  {
    name: "no body, and the connection's end announced",
    text: "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
    head: { status: 204, version: undefined, keepsAlive: false },
  },
  {
    name: "an interim answer before the real one",
    text: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
    head: { status: 503, version: undefined, keepsAlive: true },
  },
] as const satisfies readonly { name: string; text: string; head: ResponseHead }[];

test.each(answers)("reads $name, however the bytes are cut", ({ text, head }) => {
  const bytes = Buffer.from(text, "latin1");
  for (let size = 1; size <= bytes.length; size++) {
    const reader = new ResponseReader("x-color");
    // Twice on one connection, so that nothing of the first answer is left over for the second.
    for (let turn = 0; turn < 2; turn++) {
      const read: (ResponseHead | undefined)[] = [];
      for (let at = 0; at < bytes.length; at += size) read.push(reader.read(bytes.subarray(at, at + size)));
      expect(read.at(-1)).toEqual(head);
      expect(read.slice(0, -1).every((answer) => answer === undefined)).toBe(true);
    }
  }
});

test("ends an answer without a length where the connection ends", () => {
  const reader = new ResponseReader("x-color");
  expect(reader.read(Buffer.from("HTTP/1.1 200 OK\r\nx-color: blue\r\n\r\nbl"))).toBeUndefined();
  expect(reader.read(Buffer.from("ue"))).toBeUndefined();
  expect(reader.readEnd()).toEqual({ status: 200, version: "blue", keepsAlive: false });
});

test("says so when the bytes are no HTTP answer, and when the connection ends inside one", () => {
  expect(() => new ResponseReader("x-color").read(Buffer.from("SSH-2.0-x\r\n\r\n"))).toThrow(/not an HTTP answer/);
  const reader = new ResponseReader("x-color");
  reader.read(Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nblue"));
  expect(reader.readEnd()).toBeUndefined();
});
