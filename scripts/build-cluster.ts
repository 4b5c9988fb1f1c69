import { buildGoProgram, goProgramNames } from "../test/cluster/go-program.ts";

/** Builds the real control planes that `test/cluster` compares with, so that tests find them in the user's cache. */
for (const name of goProgramNames) {
  const folder = await buildGoProgram(name, {
    env: process.env,
    onProgress: (message) => process.stderr.write(`${message}\n`),
  });
  process.stdout.write(`${folder}/${name}\n`);
}
