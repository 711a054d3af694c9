/**
 * Names that C accepts, made from names that people chose.
 *
 * snake_case, ASCII, no leading digit, no reserved word of C, C++ or <stdint.h>, short enough for
 * every compiler (C99 tells 63 characters apart), and no two alike within one namer.
 */

/** C99 to C23, C++, and the macros that compilers define without being asked. */
const RESERVED: ReadonlySet<string> = new Set(
  `alignas alignof and and_eq arm asm auto bitand bitor bool break case catch char char16_t char32_t
  char8_t class co_await co_return co_yield compl concept const const_cast consteval constexpr constinit
  continue decltype default delete do double dynamic_cast else enum errno explicit export extern far false
  float for friend fortran goto i386 if inline int linux long main mutable namespace near new noexcept not
  not_eq nullptr operator or or_eq private protected public register reinterpret_cast requires restrict
  return short signed sizeof static static_assert static_cast struct sun switch template this thread_local
  throw true try typedef typeid typename typeof typeof_unqual union unix unsigned using vax virtual void
  volatile wchar_t while xor xor_eq`
    .trim()
    .split(/\s+/),
);

const STDINT = /^(u?int(max|ptr|(_least|_fast)?\d+)_t)$/;

/** One name as a C identifier; different names may give the same one. */
export function cIdentifier(name: string, { maxLength = 48 }: { maxLength?: number } = {}): string {
  const words = name
    .normalize("NFKD")
    .replace(/\p{Mark}/gu, "")
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/[^A-Za-z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "")
    .toLowerCase()
    .slice(0, maxLength)
    .replace(/_+$/, "");
  if (words === "") return "unnamed";
  if (/^\d/.test(words)) return `n${words}`;
  return RESERVED.has(words) || STDINT.test(words) ? `${words}_` : words;
}

/**
 * A function that gives each name an identifier of its own: the second `w` becomes `w_2`.
 *
 * taken    identifiers that are already in use
 */
export function namer(taken: Iterable<string> = []): (name: string) => string {
  const used = new Set(taken);
  return (name) => {
    const wanted = cIdentifier(name);
    let chosen = wanted;
    for (let n = 2; used.has(chosen); n++) chosen = `${wanted}_${n}`;
    used.add(chosen);
    return chosen;
  };
}
