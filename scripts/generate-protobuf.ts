import { createHash } from "node:crypto";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import {
  type CodeGeneratorResponse,
  CodeGeneratorRequestSchema,
  CodeGeneratorResponseSchema,
} from "@bufbuild/protobuf/wkt";

// Writes src/gen from the committed descriptor file, with no network, protoc or buf: a protoc plugin only wants a
// CodeGeneratorRequest on its standard input.

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const output = join(root, "src/gen");
const descriptorPath = join(root, "proto/envoy-v1.40.0.binpb");
// Plain objects for enums keep the output free of syntax that type stripping cannot remove.
const parameter = "target=ts,import_extension=ts,erasable_syntax=true";

const require = createRequire(import.meta.url);
const pluginPackage = require.resolve("@bufbuild/protoc-gen-es/package.json");
const plugin = join(dirname(pluginPackage), "bin/protoc-gen-es");

const descriptor = readFileSync(descriptorPath);
const stamp = createHash("sha256")
  .update(descriptor)
  .update(readFileSync(pluginPackage))
  .update(parameter)
  .digest("hex");
const stampPath = join(output, "stamp");

if (readIfPresent(stampPath) === stamp) {
  process.stdout.write("src/gen is up to date\n");
} else {
  const response = runPlugin(descriptor);
  rmSync(output, { recursive: true, force: true });
  for (const file of response.file) {
    const path = join(output, file.name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, file.content);
  }
  writeFileSync(stampPath, stamp);
  process.stdout.write(`src/gen: ${response.file.length} files\n`);
}

function runPlugin(descriptor: Uint8Array): CodeGeneratorResponse {
  const { file: protoFile } = fromBinary(FileDescriptorSetSchema, descriptor);
  // The well-known types come with the runtime package.
  const fileToGenerate = protoFile.map(({ name }) => name).filter((name) => !name.startsWith("google/protobuf/"));
  const request = create(CodeGeneratorRequestSchema, { fileToGenerate, parameter, protoFile });
  const run = spawnSync(process.execPath, [plugin], {
    input: toBinary(CodeGeneratorRequestSchema, request),
    maxBuffer: 64 * 1024 * 1024,
    stdio: ["pipe", "pipe", "inherit"],
  });
  if (run.error !== undefined) throw run.error;
  if (run.status !== 0) throw new Error(`protoc-gen-es ended with status ${run.status}`);
  const response = fromBinary(CodeGeneratorResponseSchema, run.stdout);
  if (response.error !== "") throw new Error(`protoc-gen-es: ${response.error}`);
  return response;
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
