/**
 * The audio front-end hop by hop: each run takes hopSamples samples and gives at most one frame, the
 * same integers as the clip in one piece.
 *
 * A frame that needs `reach` samples before its first hop ends (audio-routine.ts) is complete once
 * `lead` samples of a hop are in, 1 <= lead <= hop: those go into the ring, then the frame is
 * computed, then the rest follows. So the ring holds one window and nothing else is kept:
 *
 *   reach = delay * hop + lead,   frame f is computed in hop f + delay
 */

import {
  type Buffer,
  build as b,
  type Expr,
  type Routine,
  type Statement,
} from "../kernel/index.ts";
import { assemble } from "./assemble.ts";
import { audioFrame } from "./audio-frame.ts";
import { reachSamples } from "./audio-routine.ts";
import { areEven, evenIntoRing, inRing, intoRing } from "./ring.ts";
import { type AudioSpec, featureShape } from "./spec.ts";

/** Hops that go in before the first frame comes out of the next one. */
export function delayHops(spec: AudioSpec): number {
  return Math.ceil(reachSamples(spec) / spec.hopSamples) - 1;
}

/**
 * The routine of one hop.
 *
 * modality  prefix of its storage; the input is s16 [hopSamples] and bears this name
 * returns   state `${modality}.features`: the last frames, [frames, channels, 1], rows of zeros before
 *           the first; state `${modality}.ring` and `${modality}.place`; all state zero is the
 *           beginning of a stream;
 *           output `${modality}.filled`, s32 [1]: rows that are frames, from 0 to all
 */
export function audioStream(modality: string, spec: AudioSpec): Routine {
  const { windowSamples: N, hopSamples } = spec;
  const [frames, channels] = featureShape(spec);
  const [delay, size] = [delayHops(spec), frames * channels];
  const lead = reachSamples(spec) - delay * hopSamples;
  const input = b.buffer("hop", "s16", [hopSamples]);
  const ring = b.buffer("ring", "s16", [N]);
  const type = spec.scaling === undefined ? "s32" : "s8";
  const features = b.buffer("features", type, featureShape(spec));
  const place = b.buffer("place", "s32", [2]);
  const filled = b.buffer("filled", "s32", [1]);
  const frame = audioFrame(spec);

  const [start, hops] = [b.variable("start", "s32"), b.variable("hops", "s32")];
  const flat = b.buffer("features", type, [size]);
  const taken = (name: string, from: number, to: number): Statement[] => {
    const ahead = b.sub(start, lead);
    const put = areEven(N, hopSamples, lead) ? evenIntoRing : intoRing;
    return put(name, ring, { input, from: b.s32(from), to: b.s32(to), ahead });
  };
  const body = [
    b.declare(start, inRing(b.add(b.load(place, 0), lead), N)),
    b.declare(hops, b.min(b.add(b.load(place, 1), 1), delay + frames)),
    ...taken("lead", 0, lead),
    b.when(b.less(delay, hops), [
      ...slid(flat, channels),
      ...frame.statements({ ring, start }, b.s32(frames - 1), features),
    ]),
    ...taken("rest", lead, hopSamples),
    b.store(place, [0], inRing(b.add(start, hopSamples - lead), N)),
    b.store(place, [1], hops),
    b.store(filled, [0], b.max(b.sub(hops, delay), 0)),
  ];
  const state = [ring, place, features];
  const { tables, scratch } = frame;
  const name = `${spec.kind}-stream`;
  return assemble(modality, { name, input, tables, scratch, state, output: filled, body });
}

/** Elements in a step of a copy: compilers make words of them. */
const UNROLLED = 16;

/** All elements moved down by `by`; the last `by` stay. */
function slid(flat: Buffer, by: number): Statement[] {
  const count = flat.shape[0] - by;
  const whole = count - (count % UNROLLED);
  const step = (k: Expr, length: number): Statement[] => {
    const moved = Array.from({ length }, (_, i) => b.variable(`moved${length}_${i}`, "s32"));
    return [
      ...moved.map((value, i) => b.declare(value, b.load(flat, b.add(k, by + i)))),
      ...moved.map((value, i) => b.store(flat, [b.add(k, i)], value)),
    ];
  };
  return [
    b.loop("k", whole, (k) => step(k, UNROLLED), { step: UNROLLED }),
    b.loop("k_rest", count, (k) => step(k, 1), { from: whole }),
  ];
}
