import type { Command } from "commander";
import { CliError, EXIT } from "./failure.ts";

/** What a shell runs to complete commands and flags; paths it completes by itself. @throws CliError for another shell */
export function completion(program: Command, shell: string): string {
  if (shell === "bash") return script(program);
  // zsh reads bash's.
  if (shell === "zsh") return `autoload -U +X bashcompinit && bashcompinit\n${script(program)}`;
  throw new CliError(`there is no completion for ${shell}, only for bash and zsh`, { exit: EXIT.usage });
}

function script(program: Command): string {
  const groups = program.commands.filter(({ commands }) => commands.length > 0);
  const rows = [
    ...groups.flatMap((group) =>
      group.commands.map((command) => [`${group.name()}/${command.name()}`, flagsOf(command)]),
    ),
    ...groups.map((group) => [`${group.name()}/*`, namesOf(group)]),
    ...program.commands.filter((command) => !groups.includes(command)).map((one) => [`${one.name()}/*`, flagsOf(one)]),
  ];
  return `_mayfly() {
  local words="${namesOf(program)} ${flagsOf(program)}"
  if [ "$COMP_CWORD" -gt 1 ]; then
    local second=
    [ "$COMP_CWORD" -gt 2 ] && second=\${COMP_WORDS[2]}
    case "\${COMP_WORDS[1]}/$second" in
${rows.map(([pattern, words]) => `      ${pattern}) words="${words}" ;;`).join("\n")}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _mayfly mayfly
`;
}

const namesOf = (command: Command): string => command.commands.map((one) => one.name()).join(" ");
const flagsOf = (command: Command): string =>
  [...command.options.flatMap(({ long, hidden }) => (hidden ? [] : (long ?? []))), "--help"].join(" ");
