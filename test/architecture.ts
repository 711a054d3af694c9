/**
 * The rules of ARCHITECTURE.md as a function over sources: who may import what, no cycles, no
 * default exports, and nothing in the library that only Node has or that makes two runs differ.
 *
 * It sees static and dynamic imports with a literal specifier, type imports included. A test may
 * also use Node, packages, test/, and modules to its right (agreement needs both sides), but it too
 * reaches another module only by its index.ts.
 */

import { dirname, join } from "node:path/posix";
import ts from "typescript";

export interface SourceText {
  /** Relative to the repository root, with "/". */
  readonly path: string;
  readonly text: string;
}

/** Each module may import those left of it. */
const ladder: readonly string[] = [
  "kernel",
  "tensor",
  "data",
  "features",
  "model",
  "train",
  "compress",
  "deploy",
  "bench",
  "search",
];

/** Where a package may be imported; "node:" stands for all of Node's own. */
const packagePlaces: Readonly<Record<string, RegExp>> = {
  "node:":
    /^(src\/data\/(files|ffmpeg)\.ts|src\/kernel\/worker\.ts|src\/bench\/|apps\/|examples\/)/,
  // examples import the package by its name, as a user does
  tinym2net: /^examples\//,
  sharp: /^src\/data\/picture\.ts$/,
  "csv-parse": /^src\/data\//,
  "@audio/decode-flac": /^src\/data\/sound\.ts$/,
  "@audio/decode-mp3": /^src\/data\/sound\.ts$/,
  "@audio/decode-opus": /^src\/data\/sound\.ts$/,
  "@audio/decode-vorbis": /^src\/data\/sound\.ts$/,
  commander: /^apps\/cli\//,
  picocolors: /^apps\/cli\//,
};

/** Time and randomness are arguments in the library; only measuring may read a clock. */
const forbiddenCalls: readonly string[] = ["Math.random", "Date.now", "performance.now"];

/** Every breach of the rules, one line each, in the order of `files`; empty if there is none. */
export function violations(files: readonly SourceText[]): string[] {
  return [...files.flatMap(breaches), ...cycles(files)];
}

function breaches(file: SourceText): string[] {
  const found = [
    placeBreach(file.path),
    ...imports(file).map((specifier) => importBreach(file.path, specifier)),
    ...syntaxBreaches(file),
  ];
  return found.filter((what) => what !== undefined).map((what) => `${file.path}: ${what}`);
}

/** Files lie in a module of the ladder; src/ itself holds only the two shared ones. */
function placeBreach(path: string): string | undefined {
  const [top, module, ...rest] = path.split("/");
  if (top !== "src") return undefined;
  const isKnown = rest.length > 0 ? ladder.includes(module) : isSharedFile(path);
  return isKnown ? undefined : `${module} is no module of the ladder`;
}

function isSharedFile(path: string): boolean {
  return /^src\/(index|errors)(\.test)?\.ts$/.test(path);
}

function importBreach(path: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return packageBreach(path, specifier);
  if (specifier.endsWith(".js")) return `${specifier} must name the source, with .ts`;
  return ladderBreach(path, join(dirname(path), specifier));
}

function packageBreach(path: string, specifier: string): string | undefined {
  if (isTest(path)) return undefined;
  const name = specifier.startsWith("node:") ? "node:" : packageName(specifier);
  const place = packagePlaces[name];
  if (place === undefined) return `${specifier} is no runtime dependency`;
  return place.test(path) ? undefined : `${specifier} may not be imported here`;
}

function packageName(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

function ladderBreach(path: string, target: string): string | undefined {
  const from = home(path);
  const to = home(target);
  if (from === to || target === "src/errors.ts") return undefined;
  if (to === "test" || to === "scripts") {
    return isTest(path) ? undefined : `${target} is only for tests`;
  }
  if (from === "test" || from === "examples") return undefined;
  if (to.startsWith("apps/")) {
    return from.startsWith("apps/") ? undefined : `${target} is only for apps`;
  }
  if (target === "src/index.ts") {
    return from.startsWith("apps/") ? undefined : "src/index.ts is only for apps";
  }
  if (!isTest(path) && ladder.indexOf(to) > ladder.indexOf(from) && ladder.includes(from)) {
    return `${from} stands left of ${to} and may not import it`;
  }
  if (path === "src/errors.ts") return "src/errors.ts may import nothing";
  return target === `src/${to}/index.ts` ? undefined : `${target} must be reached by its index.ts`;
}

/** What a path belongs to: a module ("tensor"), an app ("apps/cli"), itself in src/, a top folder. */
function home(path: string): string {
  const parts = path.split("/");
  if (parts[0] === "apps") return parts.slice(0, 2).join("/");
  if (parts[0] === "src") return parts.length > 2 ? parts[1] : path;
  return parts[0];
}

function isTest(path: string): boolean {
  return path.endsWith(".test.ts") || path.startsWith("test/");
}

function imports(file: SourceText): string[] {
  return ts.preProcessFile(file.text, true, true).importedFiles.map((found) => found.fileName);
}

/** Default exports, and in the library calls that make two runs differ. */
function syntaxBreaches(file: SourceText): string[] {
  const source = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.ES2023, true);
  const found = source.statements.some(isDefaultExport) ? ["has a default export"] : [];
  if (!/^src\/(?!bench\/)/.test(file.path) || isTest(file.path)) return found;
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node) && forbiddenCalls.includes(node.getText())) {
      found.push(`${node.getText()} must be an argument`);
    }
    if (ts.isNewExpression(node) && node.getText() === "new Date()") {
      found.push("new Date() must be an argument");
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function isDefaultExport(statement: ts.Statement): boolean {
  if (ts.isExportAssignment(statement)) return true;
  if (ts.isExportDeclaration(statement) && statement.exportClause !== undefined) {
    const clause = statement.exportClause;
    return ts.isNamedExports(clause) && clause.elements.some((e) => e.name.text === "default");
  }
  const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
  return modifiers.some((modifier) => modifier.kind === ts.SyntaxKind.DefaultKeyword);
}

/** Each file from which imports lead back to itself, with the shortest way round, once a cycle. */
function cycles(files: readonly SourceText[]): string[] {
  const graph = new Map(files.map((file) => [file.path, targets(file)]));
  const reported = new Set<string>();
  const found: string[] = [];
  for (const path of graph.keys()) {
    const way = reported.has(path) ? undefined : wayBack(path, graph);
    if (way === undefined) continue;
    for (const step of way) reported.add(step);
    found.push(`${path}: cycle ${[...way, path].join(" > ")}`);
  }
  return found;
}

function targets(file: SourceText): string[] {
  const relative = imports(file).filter((specifier) => specifier.startsWith("."));
  return relative.map((specifier) => join(dirname(file.path), specifier));
}

/** Breadth-first from `start` back to it; the files on the way, `start` first. */
function wayBack(
  start: string,
  graph: ReadonlyMap<string, readonly string[]>,
): string[] | undefined {
  const ways = [[start]];
  const seen = new Set<string>();
  for (const way of ways) {
    for (const next of graph.get(way[way.length - 1]) ?? []) {
      if (next === start) return way;
      if (seen.has(next)) continue;
      seen.add(next);
      ways.push([...way, next]);
    }
  }
  return undefined;
}
