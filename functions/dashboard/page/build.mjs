// Builds ../dist: for the page (app) and the reference of the API (reference) one script and one stylesheet each, and an
// icon, all with their hash in their name; the two documents that name them; and the description of the API, which
// `make page` has written. Everything is compressed here, once; the function serves the bytes as they are.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const dist = new URL("../dist/", import.meta.url);
const files = new Map();

const { version } = JSON.parse(readFileSync("package.json", "utf8"));
const bundle = await build({
  entryPoints: { app: "src/main.tsx", reference: "src/reference.tsx" },
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  splitting: true,
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

/** The file of a part, such as app-F4SARZ73.js of app and js. */
const named = (part, extension) =>
  [...files.keys()].find((name) => name.startsWith(`${part}-`) && name.endsWith(`.${extension}`));
for (const page of ["telemetry.html", "reference.html"]) {
  const text = readFileSync(`src/${page}`, "utf8").replace(/{{(\w+)\.(\w+)}}/g, (_, part, extension) =>
    named(part, extension),
  );
  files.set(page, Buffer.from(text));
}
files.set("openapi.json", readFileSync("openapi.json"));

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
let total = 0;
for (const [name, contents] of files) {
  const compressed = gzipSync(contents, { level: 9 });
  total += compressed.length;
  writeFileSync(new URL(`${name}.gz`, dist), compressed);
}
console.log(`built the page and the reference: ${(total / 1024).toFixed(1)} KB compressed`);
