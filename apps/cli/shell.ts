/** Words of a command line as a shell takes them, for the commands that verbs suggest. */

/** A word, quoted if it holds anything that a POSIX shell would not leave alone. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
