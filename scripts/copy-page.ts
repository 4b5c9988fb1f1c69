import { cp } from "node:fs/promises";

/** The status page is served as it is written; tsc emits only what it compiles. */
await cp(new URL("../src/api/page", import.meta.url), new URL("../dist/api/page", import.meta.url), {
  recursive: true,
});
