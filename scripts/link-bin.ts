import { mkdir, rm, symlink } from "node:fs/promises";

/**
 * Puts `kirikae` beside the tools in node_modules/.bin, where npx looks first. Without the link npx installs the checkout
 * into its own cache at every first use, and one that is interrupted there stays broken.
 */
const folder = new URL("../node_modules/.bin/", import.meta.url);
const link = new URL("kirikae", folder);

// Windows needs a .cmd file in place of a link; npx falls back to its cache there.
if (process.platform !== "win32") {
  await mkdir(folder, { recursive: true });
  await rm(link, { force: true });
  await symlink("../../bin/kirikae.js", link);
}
