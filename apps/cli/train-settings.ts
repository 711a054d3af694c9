/** What a training is asked for with options, and what it is told to do. */

import { isDeepStrictEqual } from "node:util";
import { UserError, unknown } from "../../src/errors.ts";
import { FEATURE_SCALE } from "../../src/features/index.ts";
import { hasFusedMultiplyAdd } from "../../src/kernel/index.ts";
import type { FitOptions } from "../../src/train/index.ts";
import { augmentSettings } from "./augment.ts";
import { OPTIMIZERS, type RunRecord, SCHEDULES, type TrainSettings } from "./run.ts";

/** Settings as options give them: unchecked names, and nothing where a default will do. */
export interface AskedSettings
  extends Partial<Omit<TrainSettings, "optimizer" | "schedule" | "engine" | "augment" | "noise">> {
  /** One of OPTIMIZERS and of SCHEDULES. */
  readonly optimizer?: string;
  readonly schedule?: string;
  /** none, a preset, a JSON file, or JSON. */
  readonly augment?: string;
  /** The same bytes on every machine. */
  readonly portable?: boolean;
}

const DEFAULTS = {
  preset: "tinym2net",
  epochs: 30,
  seed: 1,
  optimizer: "adamw",
  schedule: "cosine",
  size: 32,
} as const;
/** Peak learning rates that suit the presets. */
const RATES = { adamw: 1e-3, adam: 1e-3, sgd: 1e-2 };
/** The step schedule: ten times less after each third of the epochs. */
const [STEPS, FACTOR] = [3, 0.1];

/** As asked for; the batch may be left to the size of the training split. */
export type Wanted = Omit<TrainSettings, "batch"> & { readonly batch?: number };

/** The settings of a new training; throws UserError for an unknown name. */
export async function settingsOf(options: AskedSettings): Promise<Wanted> {
  const { preset: name, modalities = [], epochs, seed, batch, rate, size, fold } = options;
  const optimizer = known("optimizer", options.optimizer ?? DEFAULTS.optimizer, OPTIMIZERS);
  return {
    preset: name ?? DEFAULTS.preset,
    modalities,
    epochs: epochs ?? DEFAULTS.epochs,
    seed: seed ?? DEFAULTS.seed,
    optimizer,
    rate: rate ?? RATES[optimizer],
    schedule: known("schedule", options.schedule ?? DEFAULTS.schedule, SCHEDULES),
    engine: options.portable !== true && hasFusedMultiplyAdd() ? "fused" : "portable",
    size: size ?? DEFAULTS.size,
    ...(batch === undefined ? {} : { batch }),
    ...(fold === undefined ? {} : { fold }),
    ...(await augmentSettings(options.augment)),
  };
}

function known<T extends string>(kind: string, name: string, names: readonly T[]): T {
  const found = names.find((candidate) => candidate === name);
  if (found === undefined) throw unknown(kind, name, names);
  return found;
}

/** A training goes on as it was begun; a setting that says otherwise is a mistake. */
export async function resumedSettings(
  { settings }: RunRecord,
  options: AskedSettings,
): Promise<TrainSettings> {
  const plain = ["preset", "optimizer", "schedule", "fold"] as const;
  for (const key of [...plain, "epochs", "seed", "batch", "rate", "size"] as const) {
    const given = options[key];
    if (given === undefined || given === settings[key]) continue;
    throw changedSetting(key, settings[key] ?? "none", given);
  }
  if (options.portable === true && settings.engine !== "portable") {
    throw changedSetting("engine", settings.engine, "portable");
  }
  if (settings.engine === "fused" && !hasFusedMultiplyAdd()) {
    throw new UserError(
      "train --resume: the run was begun with fused products, which this WebAssembly engine lacks; " +
        "train anew with --portable",
    );
  }
  const { modalities } = options;
  if (
    modalities !== undefined &&
    modalities.toSorted().join() !== settings.modalities.toSorted().join()
  ) {
    throw changedSetting("modalities", settings.modalities.join(","), modalities.join(","));
  }
  const asked = await augmentSettings(options.augment, settings);
  if (!isDeepStrictEqual(asked.augment, settings.augment)) {
    const [before, given] = [settings, asked].map(({ augment }) => JSON.stringify(augment));
    throw changedSetting("augment", before ?? "none", given ?? "none");
  }
  if (!isDeepStrictEqual(asked.noise, settings.noise)) {
    throw new UserError("train --resume: the recordings of noise have changed since the run began");
  }
  return settings;
}

function changedSetting(key: string, before: string | number, given: string | number): UserError {
  return new UserError(
    `train --resume: ${key} must be ${before} as when the run began, got ${given}`,
  );
}

/** What the training loop is told. */
export function fitOptions({
  epochs,
  seed,
  batch,
  optimizer,
  rate,
  schedule,
  engine,
}: TrainSettings): FitOptions {
  const stepEpochs = Math.ceil(epochs / STEPS);
  return {
    epochs,
    seed,
    batch,
    optimizer: { kind: optimizer },
    rate,
    schedule:
      schedule === "step" ? { kind: schedule, stepEpochs, factor: FACTOR } : { kind: schedule },
    inputScale: FEATURE_SCALE,
    fused: engine === "fused",
  };
}
