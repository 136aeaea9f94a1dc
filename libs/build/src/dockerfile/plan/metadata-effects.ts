import type { Arg, Env, Expose, Label, Pair } from "../instructions/instruction.ts";
import { within } from "../source/failure.ts";
import { withVariable } from "./config.ts";
import { expander, type StageContext, shownCode, warnOfMissing } from "./context.ts";
import { exposedPorts } from "./ports.ts";
import { SETTINGS } from "./scope.ts";
import { remembered, type StageState } from "./stage-state.ts";

/** All pairs are expanded with the variables from before the instruction: `ENV a=b c=$a` has the old `a` in `c`. */
export function env(state: StageState, instruction: Env, context: StageContext): StageState {
  const pairs = expanded(instruction, state, context);
  const variables = new Map(state.variables);
  let list = state.config.Env ?? [];
  for (const { name, value } of pairs) {
    warnOfSecret("ENV", name, instruction, context);
    variables.set(name, value);
    list = withVariable(list, name, value);
  }
  return remembered({ ...state, variables, config: { ...state.config, Env: list } }, `ENV ${written(pairs)}`);
}

export function label(state: StageState, instruction: Label, context: StageContext): StageState {
  const pairs = expanded(instruction, state, context);
  const labels = { ...state.config.Labels, ...Object.fromEntries(pairs.map(({ name, value }) => [name, value])) };
  return remembered({ ...state, config: { ...state.config, Labels: labels } }, `LABEL ${written(pairs)}`);
}

function expanded(instruction: Env | Label, state: StageState, context: StageContext): Pair[] {
  const expand = expander(context, state, instruction);
  return instruction.pairs.map(({ name, value, legacy }) => {
    if (legacy) context.warnings.add("LegacyKeyValueFormat", instruction.range, instruction.word);
    return { name: expand(name), value: expand(value), legacy };
  });
}

const written = (pairs: readonly Pair[]): string => pairs.map(({ name, value }) => `${name}=${value}`).join(" ");

/**
 * A build argument wins over the default; a name without either takes the global ARG's value. Unlike what Docker's documentation says, an
 * ARG after an ENV of the same name hides it from what follows (measured on BuildKit); the image keeps the ENV.
 */
export function arg(state: StageState, instruction: Arg, context: StageContext): StageState {
  const variables = new Map(state.variables);
  const args = new Map(state.args);
  const lines: string[] = [];
  for (const { name, value } of instruction.args) {
    warnOfSecret("ARG", name, instruction, context);
    const given = context.buildArgs.get(name);
    let own: string | null = null;
    if (value !== null) {
      const scope = { ...state, variables, args };
      // A default that a build argument takes the place of may be wrong.
      own =
        given === undefined
          ? defaultOf(value, scope, instruction, context)
          : shownCode(value, context.lexer, variables);
    }
    lines.push(own === null ? name : `${name}=${own}`);
    const result = given ?? own ?? context.globals.get(name) ?? null;
    if (result !== null && !SETTINGS.has(name)) variables.set(name, result);
    args.set(name, result);
  }
  return remembered({ ...state, variables, args }, `ARG ${lines.join(" ")}`);
}

function defaultOf(text: string, state: StageState, instruction: Arg, context: StageContext): string {
  const expanded = context.lexer.expand(text, state.variables);
  warnOfMissing(expanded.missing, context, state, instruction);
  return expanded.text;
}

const SECRET = /(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)/i;
const NO_SECRET = /(?:_|^)(?:public|file|version)(?:_|$)/i;

function warnOfSecret(word: string, name: string, { range }: Env | Arg, { warnings }: StageContext): void {
  if (SECRET.test(name) && !NO_SECRET.test(name)) warnings.add("SecretsUsedInArgOrEnv", range, word, name);
}

/** The only instruction where a variable may hold several words. */
export function expose(state: StageState, instruction: Expose, context: StageContext): StageState {
  const specs = instruction.ports.flatMap((port) => context.lexer.words(port, state.variables));
  for (const spec of specs) {
    const protocol = spec.split("/")[1] ?? "";
    if (protocol !== protocol.toLowerCase()) context.warnings.add("ExposeProtoCasing", instruction.range, spec);
    if (spec.includes(":")) context.warnings.add("ExposeInvalidFormat", instruction.range, spec);
  }
  const ports = [...new Set(within(instruction.range, () => specs.flatMap(exposedPorts)))];
  const exposed = { ...state.config.ExposedPorts, ...Object.fromEntries(ports.map((port) => [port, {}])) };
  const shown = [...ports].sort().map((port) => `${port}:{}`);
  return remembered({ ...state, config: { ...state.config, ExposedPorts: exposed } }, `EXPOSE map[${shown.join(" ")}]`);
}
