/**
 * Time of the audio front-end: one second at 16 kHz, MFCC 44 x 13, WebAssembly in this process.
 *
 *   node scripts/bench-features.mjs
 */

import { features, kernel, tensor } from "../dist/src/index.js";

const RUNS = 50;
const spec = features.defaultAudioSpec({ sampleRateHz: 16000 });
const generator = tensor.random("bench");
const samples = Int16Array.from({ length: spec.samples }, () =>
  Math.round(generator.normal() * 3000),
);
const program = kernel.plan(features.frontendRoutine("audio", spec, "raw"));
const extract = features.extractor(spec, "raw");
const times = Array.from({ length: RUNS + 10 }, () => {
  const start = performance.now();
  extract(samples);
  return performance.now() - start;
})
  .slice(10)
  .sort((a, b) => a - b);
const { scratch, constant } = program.regionBytes;
console.log(`Node ${process.version}, ${process.platform} ${process.arch}, ${RUNS} runs`);
console.log(`median ${times[RUNS / 2].toFixed(2)} ms, fastest ${times[0].toFixed(2)} ms`);
console.log(`${scratch} bytes of scratch, ${constant} bytes of tables (exact, without scaling)`);
