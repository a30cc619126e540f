// Builds ../dist: one script, one stylesheet, one icon, each with its hash in its name, and the page that names them.
// Everything is compressed here, once; the function serves the bytes as they are.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const dist = new URL("../dist/", import.meta.url);
const files = new Map();

const { version } = JSON.parse(readFileSync("package.json", "utf8"));
const bundle = await build({
  entryPoints: ["src/main.tsx"],
  entryNames: "app-[hash]",
  outdir: "dist",
  write: false,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["chrome111", "edge111", "firefox115", "safari16.4"],
  jsx: "automatic",
  jsxImportSource: "preact",
  define: { "process.env.NODE_ENV": '"production"', VERSION: JSON.stringify(version) },
  legalComments: "eof",
  logLevel: "warning",
});
for (const { path, contents } of bundle.outputFiles) files.set(path.split("/").at(-1), Buffer.from(contents));

const icon = readFileSync("src/icon.svg");
files.set(`icon-${createHash("sha256").update(icon).digest("hex").slice(0, 8)}.svg`, icon);

const named = (extension) => [...files.keys()].find((name) => name.endsWith(extension));
const page = readFileSync("src/telemetry.html", "utf8").replace(/{{(\.\w+)}}/g, (_, extension) => named(extension));
files.set("telemetry.html", Buffer.from(page));

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
let total = 0;
for (const [name, contents] of files) {
  const compressed = gzipSync(contents, { level: 9 });
  total += compressed.length;
  writeFileSync(new URL(`${name}.gz`, dist), compressed);
}
console.log(`built the page: ${(total / 1024).toFixed(1)} KB compressed`);
