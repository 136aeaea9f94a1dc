const OCTAL = /^[0-7]+$/;
const WHO: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o1007 };
const ALL = 0o777;

/** The mode that `--chmod` makes of a mode: octal digits replace it, `u=rw,go-w,a+X` changes it (chmod(1), without a umask). */
export function changedMode(chmod: string, mode: number, isFolder: boolean): number {
  if (OCTAL.test(chmod)) return Number.parseInt(chmod, 8) & 0o7777;
  return chmod.split(",").reduce((changed, clause) => {
    const [, who, actions] = /^([ugoa]*)(.*)$/.exec(clause)!;
    let result = changed;
    for (const [, operator, letters] of actions!.matchAll(/([-+=])([rwxXst]*)/g)) {
      result = applied(operator!, letters!, who!, result, isFolder);
    }
    return result;
  }, mode);
}

function applied(operator: string, letters: string, who: string, mode: number, isFolder: boolean): number {
  const everybody = who === "" || who.includes("a");
  const mask = everybody ? 0o7777 : [...who].reduce((sum, letter) => sum | WHO[letter]!, 0);
  const bits = bitsOf(letters, mode, isFolder) & mask;
  if (operator === "+") return mode | bits;
  if (operator === "-") return mode & ~bits;
  // Setting leaves setuid, setgid and sticky alone unless they are named.
  return (mode & ~(mask & ALL)) | bits;
}

function bitsOf(letters: string, mode: number, isFolder: boolean): number {
  let bits = 0;
  for (const letter of letters) {
    if (letter === "r") bits |= 0o444;
    else if (letter === "w") bits |= 0o222;
    else if (letter === "x" || (letter === "X" && (isFolder || (mode & 0o111) !== 0))) bits |= 0o111;
    else if (letter === "s") bits |= 0o6000;
    else if (letter === "t") bits |= 0o1000;
  }
  return bits;
}
