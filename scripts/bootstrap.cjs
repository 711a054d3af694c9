/*
 * Sets the working tree up before `npm start` and `npm test`: packages from the lockfile, then
 * the build. Old syntax and no dependency, so that an old Node can read it and say what it lacks.
 *
 * Each step is stamped with the hash of what it was made from and repeated when that changes.
 * Stamps are written last, so an interrupted set-up repeats; a lock file keeps two set-ups apart.
 * With TINYM2NET_SKIP_SETUP=1 it does nothing.
 */
"use strict";

var childProcess = require("child_process");
var crypto = require("crypto");
var fs = require("fs");
var os = require("os");
var path = require("path");

var OLDEST_NODE = [20, 19, 0];
var WAIT_LIMIT_MS = 15 * 60 * 1000;
/* Whether a lock of another machine (shared folder) is alive cannot be asked: past this, no. */
var FOREIGN_LOCK_LIMIT_MS = 10 * 60 * 1000;
/* A lock is created, then written; one that stays empty this long was never finished. */
var EMPTY_LOCK_LIMIT_MS = 5 * 1000;

var root = path.join(__dirname, "..");
var lockFile = path.join(root, ".setup.lock");
var modules = path.join(root, "node_modules");
var dist = path.join(root, "dist");
var installStamp = path.join(modules, ".tinym2net-stamp");
var buildStamp = path.join(dist, ".tinym2net-stamp");

function main() {
  checkNode();
  if (process.env.TINYM2NET_SKIP_SETUP === "1" || isSetUp()) return;
  takeLock();
  /* Another set-up may have finished while this one waited: each step looks again. */
  if (read(installStamp) !== installHash()) install();
  if (read(buildStamp) !== buildHash()) build();
}

function checkNode() {
  var parts = process.versions.node.split(".");
  for (var i = 0; i < OLDEST_NODE.length; i++) {
    var difference = parseInt(parts[i], 10) - OLDEST_NODE[i];
    if (difference > 0) return;
    if (difference < 0) {
      fail("needs Node " + OLDEST_NODE.join(".") + " or newer, got " + process.versions.node);
    }
  }
}

function isSetUp() {
  return read(installStamp) === installHash() && read(buildStamp) === buildHash();
}

/* ---------------------------------------------------------------- steps */

function install() {
  var hash = installHash();
  step("installing packages", function () {
    remove(installStamp);
    var npm = callingNpm();
    /* Development packages hold the compiler, so NODE_ENV=production must not leave them out. */
    var flags = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--include=dev"];
    run(npm.command, npm.prefix.concat(flags), { shell: npm.shell });
  });
  fs.writeFileSync(installStamp, hash);
}

/*
 * Built beside dist and moved into place: no file of a deleted source stays, and a failed build
 * changes nothing.
 */
function build() {
  var hash = buildHash();
  var partial = path.join(root, "dist.partial-" + process.pid);
  step("building", function () {
    removePartials();
    var compiler = path.join(modules, "typescript", "bin", "tsc");
    try {
      run(process.execPath, [compiler, "-p", "tsconfig.build.json", "--outDir", partial], {});
      fs.writeFileSync(path.join(partial, path.basename(buildStamp)), hash);
      remove(dist);
      fs.renameSync(partial, dist);
    } finally {
      remove(partial);
    }
  });
}

function step(name, action) {
  var start = Date.now();
  process.stderr.write("tinym2net: " + name + " ... ");
  try {
    action();
  } catch (error) {
    process.stderr.write("failed\n" + error.message + "\n");
    process.exit(1);
  }
  process.stderr.write(((Date.now() - start) / 1000).toFixed(1) + " s\n");
}

/* The npm that called this script: it is there and fits this Node. Without one, npm on PATH. */
function callingNpm() {
  var caller = process.env.npm_execpath;
  if (caller && path.basename(caller) === "npm-cli.js") {
    return { command: process.execPath, prefix: [caller], shell: false };
  }
  return { command: "npm", prefix: [], shell: process.platform === "win32" };
}

function run(command, args, options) {
  var result = childProcess.spawnSync(command, args, {
    cwd: root,
    shell: Boolean(options.shell),
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 64 * 1024 * 1024
  });
  if (result.error) throw result.error;
  if (result.signal) throw new Error("stopped by " + result.signal);
  if (result.status !== 0) throw new Error(result.stdout + result.stderr);
}

/* --------------------------------------------------------------- hashes */

function installHash() {
  var hash = crypto.createHash("sha256");
  hash.update(fs.readFileSync(path.join(root, "package-lock.json")));
  hash.update([process.platform, process.arch, process.versions.modules].join(" "));
  return hash.digest("hex");
}

function buildHash() {
  var hash = crypto.createHash("sha256");
  hash.update(installHash());
  ["tsconfig.json", "tsconfig.build.json", "src", "apps", "examples"].forEach(function (name) {
    sources(path.join(root, name)).forEach(function (file) {
      hash.update("\0" + path.relative(root, file).split(path.sep).join("/") + "\0");
      hash.update(fs.readFileSync(file));
    });
  });
  return hash.digest("hex");
}

/* The files at or below `place` that the build reads, in a fixed order. */
function sources(place) {
  if (!fs.existsSync(place)) return [];
  if (!fs.statSync(place).isDirectory()) return /\.test\.ts$/.test(place) ? [] : [place];
  var found = [];
  fs.readdirSync(place)
    .sort()
    .forEach(function (name) {
      found = found.concat(sources(path.join(place, name)));
    });
  return found;
}

/* ----------------------------------------------------------------- lock */

function takeLock() {
  var start = Date.now();
  var told = false;
  while (!createLock()) {
    var holder = lockHolder();
    if (isStale(holder)) {
      breakLock(holder);
      continue;
    }
    if (Date.now() - start > WAIT_LIMIT_MS) {
      fail("another set-up never finished; if none is running, delete " + path.basename(lockFile));
    }
    if (!told) process.stderr.write("tinym2net: waiting for another set-up\n");
    told = true;
    sleep(200);
  }
  process.on("exit", releaseLock);
  ["SIGINT", "SIGTERM"].forEach(function (signal) {
    process.on(signal, function () {
      process.exit(130);
    });
  });
}

function createLock() {
  try {
    fs.writeFileSync(lockFile, ownName(), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    return fail("cannot write " + path.basename(lockFile) + ": " + error.message);
  }
}

function releaseLock() {
  if (read(lockFile) === ownName()) remove(lockFile);
}

function ownName() {
  return os.hostname() + " " + process.pid;
}

/* Who holds the lock and since when; null when it is gone already. */
function lockHolder() {
  try {
    var age = Date.now() - fs.statSync(lockFile).mtime.getTime();
    return { name: fs.readFileSync(lockFile, "utf8"), ageMs: age };
  } catch (error) {
    return null;
  }
}

function isStale(holder) {
  if (holder === null) return false;
  var match = /^(\S+) (\d+)$/.exec(holder.name);
  if (match === null) return holder.ageMs > EMPTY_LOCK_LIMIT_MS;
  if (match[1] !== os.hostname()) return holder.ageMs > FOREIGN_LOCK_LIMIT_MS;
  return !isAlive(parseInt(match[2], 10));
}

function isAlive(pid) {
  /* A new container may give this process the number that the dead holder had. */
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/* Moves the stale lock aside; if a live one had taken its place in between, puts that one back. */
function breakLock(holder) {
  var aside = lockFile + "-" + process.pid;
  try {
    fs.renameSync(lockFile, aside);
    if (read(aside) !== holder.name) fs.linkSync(aside, lockFile);
  } catch (error) {
    /* Someone else broke it first: the next round sees what is there. */
  }
  remove(aside);
}

/* ---------------------------------------------------------------- files */

function read(file) {
  try {
    return fs.readFileSync(file, "utf8");
  } catch (error) {
    return null;
  }
}

function remove(place) {
  fs.rmSync(place, { recursive: true, force: true });
}

/* Left by builds that were killed. */
function removePartials() {
  fs.readdirSync(root).forEach(function (name) {
    if (/^dist\.partial-\d+$/.test(name)) remove(path.join(root, name));
  });
}

function sleep(milliseconds) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

function fail(message) {
  process.stderr.write("tinym2net: " + message + "\n");
  process.exit(1);
}

main();
