import type { Expanded, Lexer, Variables } from "../expand/lexer.ts";
import type { Arg } from "../instructions/instruction.ts";
import { within } from "../source/failure.ts";

/** `linux/amd64` in its parts. */
export interface PlatformName {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** BuildKit's own settings: they are ARGs, and no variables. */
export const SETTINGS: ReadonlySet<string> = new Set(["BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"]);

const PROXIES = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"];

export const isProxy = (name: string): boolean => PROXIES.includes(name.toUpperCase());

/** What every RUN sees of the proxies that were given, in both cases (BuildKit's llb.ProxyEnv). */
export function proxyVariables(buildArgs: Variables): string[] {
  return PROXIES.flatMap((name) => {
    const given = [...buildArgs].findLast(([key]) => key.toUpperCase() === name);
    return given ? [`${name}=${given[1]}`, `${name.toLowerCase()}=${given[1]}`] : [];
  });
}

/** Variables that FROM knows without any ARG; a build argument of the name replaces one. */
export function predefined(platform: PlatformName, target: string, buildArgs: Variables): Map<string, string> {
  const variables = new Map<string, string>();
  for (const side of ["BUILD", "TARGET"]) {
    const { os, architecture, variant = "" } = platform;
    variables.set(`${side}PLATFORM`, [os, architecture, ...(variant === "" ? [] : [variant])].join("/"));
    variables.set(`${side}OS`, os);
    variables.set(`${side}OSVERSION`, "");
    variables.set(`${side}ARCH`, architecture);
    variables.set(`${side}VARIANT`, variant);
  }
  variables.set("TARGETSTAGE", target === "" ? "default" : target);
  for (const name of variables.keys()) {
    const given = buildArgs.get(name);
    if (given !== undefined) variables.set(name, given);
  }
  return variables;
}

export interface Globals {
  readonly variables: Variables;
  /** Declared, with or without a value. */
  readonly declared: ReadonlySet<string>;
}

/** The variables of FROM: what is predefined, and the ARGs before the first FROM, each seeing those before it. */
export function globalVariables(args: readonly Arg[], base: Variables, buildArgs: Variables, lexer: Lexer): Globals {
  const variables = new Map(base);
  const declared = new Set<string>();
  for (const { args: names, range } of args) {
    for (const { name, value } of names) {
      declared.add(name);
      const text = value === null ? undefined : value;
      const given = buildArgs.get(name);
      const result =
        given ?? (text === undefined ? undefined : within<Expanded>(range, () => lexer.expand(text, variables)).text);
      if (result !== undefined) variables.set(name, result);
    }
  }
  return { variables, declared };
}
