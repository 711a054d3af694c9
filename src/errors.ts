/** Errors. One sentence says where, what, expected and got; a caller should not need a debugger. */

/**
 * What the user can put right: bad flag, missing file, unknown name. The CLI prints no stack and
 * exits with 2.
 */
export class UserError extends Error {
  override readonly name: string = "UserError";
}

/** A check the user asked for was not met (budget, bound, equality). The CLI exits with 3. */
export class CheckError extends UserError {
  override readonly name: string = "CheckError";
}

/** An external tool is missing (compiler, browser). The CLI exits with 4. */
export class MissingToolError extends UserError {
  override readonly name: string = "MissingToolError";
}

/** A value outside what an operation accepts, found at its door; the engine's own RangeErrors are not. */
export class MismatchError extends RangeError {
  override readonly name: string = "MismatchError";
}

/**
 * A value outside what an operation accepts: "<operation>: <what> must be <expected>, got <value>".
 *
 * returns  a MismatchError (a RangeError) for the caller to throw
 */
export function mismatch(
  operation: string,
  what: string,
  { expected, got }: { expected: string; got: unknown },
): MismatchError {
  return new MismatchError(`${operation}: ${what} must be ${expected}, got ${show(got)}`);
}

/**
 * A name that is not one of `known`, with the nearest known name if one is near.
 *
 * returns  a UserError for the caller to throw
 */
export function unknown(kind: string, name: string, known: readonly string[]): UserError {
  const near = nearest(name, known);
  const hint = near === undefined ? `; known: ${known.join(", ")}` : `; did you mean ${near}?`;
  return new UserError(`unknown ${kind}: ${name}${hint}`);
}

/** Longer names are no slips of the pen, and comparing them takes the product of their lengths. */
const LONGEST_NAME = 64;

/** The known name nearest to `name`, if at most two and a third of its letters differ. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (name.length > LONGEST_NAME) return undefined;
  const ranked = known
    .filter(({ length }) => Math.abs(length - name.length) <= 2)
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .filter(({ candidate, distance }) => {
      const length = Math.max(name.length, candidate.length);
      return distance <= Math.min(2, Math.ceil(length / 3), length - 1);
    })
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.candidate;
}

function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  return String(value);
}

/** Levenshtein distance, two-row form. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(substitution, previous[j] + 1, current[j - 1] + 1));
    }
    previous = current;
  }
  return previous[b.length];
}
