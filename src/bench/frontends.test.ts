/** What front-ends cost on the emulated Cortex-M4, held to bounds. */

import { expect, test } from "vitest";
import { needs } from "../../test/capabilities.ts";
import {
  type AudioSpec,
  channelCount,
  defaultAudioSpec,
  defaultImageSpec,
  type FeatureSpec,
} from "../features/index.ts";
import { measureFrontend } from "./frontends.ts";

function scaled<T extends FeatureSpec>(spec: T): T {
  const channels = channelCount(spec);
  const offset = new Array<number>(channels).fill(0);
  return { ...spec, scaling: { offset, multiplier: offset.map(() => 2 ** 20) } };
}

const mfcc: AudioSpec = scaled(defaultAudioSpec({ sampleRateHz: 16000 }));

test("a second of sound costs what the documents say", needs("arm-gcc"), async () => {
  const { kind, per, instructions, ramBytes, tableBytes, codeBytes } = await measureFrontend(mfcc);
  expect({ kind, per, ramBytes }).toEqual({ kind: "mfcc", per: "second", ramBytes: 7620 });
  expect(instructions.value).toBeGreaterThan(1e6);
  expect(instructions.value).toBeLessThan(1.5e6);
  expect(tableBytes).toBeLessThan(10_000);
  expect(codeBytes.value).toBeLessThan(4800);
  expect(await measureFrontend(mfcc)).toMatchObject({ instructions });
});

test(
  "a picture is counted once and its class names are not its code",
  needs("arm-gcc"),
  async () => {
    const source = { height: 64, width: 64, channels: 3 } as const;
    const cost = await measureFrontend(scaled(defaultImageSpec({ source })));
    expect(cost).toMatchObject({
      kind: "image",
      per: "picture",
      ramBytes: 64 * 64 * 3 + 32 * 32 * 3,
    });
    expect(cost.instructions.value).toBeGreaterThan(32 * 32 * 3 * 4);
    expect(cost.codeBytes.value).toBeLessThan(1000);
  },
);

test("without the emulator a reason stands in the number's place", async () => {
  const { instructions, codeBytes, ramBytes } = await measureFrontend(mfcc, {
    environment: { PATH: "" },
  });
  expect(instructions).toEqual({
    value: null,
    reason: "no arm-none-eabi-gcc, no qemu-system-arm on PATH",
  });
  expect([codeBytes.value, ramBytes]).toEqual([null, 7620]);
});
