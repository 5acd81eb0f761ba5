// Builds build/lyricsyncd.ndp: a zip of manifest.json and plugin.wasm. The same sources give the
// same bytes, on any day and in any time zone.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";
import { zipSync } from "fflate";

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(here, "build"));
process.chdir(here);
mkdirSync(out, { recursive: true });

const { error, stderr } = await asc.main([
  "assembly/index.ts",
  ...["--outFile", relative(here, join(out, "plugin.wasm"))],
  ...["-O3", "--shrinkLevel", "2", "--noAssert"],
  // A plugin lives for one call: nothing is ever freed.
  ...["--runtime", "stub"],
  // Navidrome offers no env.abort to import.
  ...["--use", "abort=assembly/index/abortHook"],
]);
if (error) {
  console.error(stderr.toString() || error.message);
  process.exit(1);
}

// Zip has local time without a zone, so a local date is the same everywhere.
const entry = { level: 9, mtime: new Date(1980, 0, 1), os: 3, attrs: 0o100644 << 16 };
const files = {
  "manifest.json": [readFileSync("manifest.json"), entry],
  "plugin.wasm": [readFileSync(join(out, "plugin.wasm")), entry],
};
writeFileSync(join(out, "lyricsyncd.ndp"), zipSync(files));
