/** Loops of an optimizer: the first parameters decay, the others do not. */

import { build as b, type Expr, type Statement } from "../../kernel/index.ts";

export interface Decayed {
  /** All parameters. */
  readonly size: number;
  /** How many of them, from the first, decay; all of them if it is not given. */
  readonly decayed?: number;
}

interface Place {
  readonly i: Expr;
  readonly decays: boolean;
  /** A variable's name in this loop, since names are unique in a kernel. */
  readonly name: (role: string) => string;
}

/** A loop over the parameters that decay and one over the others. */
export function overDecayed(
  { size, decayed = size }: Decayed,
  body: (place: Place) => readonly Statement[],
): Statement[] {
  const over = (from: number, count: number, decays: boolean): Statement[] => {
    if (count === 0) return [];
    const name = (role: string): string => (decays ? role : `${role}_free`);
    const at = (k: Expr) => body({ i: b.add(k, from), decays, name });
    return [b.lanes(name("i"), count, at, { vectors: 1, parallel: true })];
  };
  return [...over(0, decayed, true), ...over(decayed, size - decayed, false)];
}
