/** Batch normalisation and ReLU in one pass over the values, forward and backward. */

import type { NormRelu } from "../merged-layer.ts";
import type { Steps } from "../op.ts";
import { normAgain, normBackward, normForward } from "./batch-norm.ts";

export const normRelu: Steps<NormRelu> = {
  forward: ({ norm }, site) => normForward(norm, site, { relu: true }),
  again: ({ norm }, site) => normAgain(norm, site, { relu: true }),
  backward: ({ norm }, site) => normBackward(norm, site, { relu: true }),
};
