import { chmod, copyFile, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";

const CERTIFICATES = ".mayfly-build-ca.crt";
/** Variables by which programs are told of other certificates: Node and npm, OpenSSL, curl, git, Python. */
const TOLD_BY = [
  "NODE_EXTRA_CA_CERTS",
  "SSL_CERT_FILE",
  "CURL_CA_BUNDLE",
  "GIT_SSL_CAINFO",
  "REQUESTS_CA_BUNDLE",
  "PIP_CERT",
];

/** What the operator gives every program of a build: it is part of no image, no history and no key of the cache. */
export class BuildSurroundings {
  readonly #variables: Readonly<Record<string, string>>;
  /** A layer with the certificates alone; null: there are none. */
  readonly layer: string | null;

  private constructor(variables: Readonly<Record<string, string>>, layer: string | null) {
    this.#variables = variables;
    this.layer = layer;
  }

  /** @param ca a file of certificates, which is copied below `folder` @throws Error when it cannot be read */
  static async open(
    folder: string,
    variables: Readonly<Record<string, string>>,
    ca: string | null,
  ): Promise<BuildSurroundings> {
    await rm(folder, { recursive: true, force: true });
    if (ca === null) return new BuildSurroundings(variables, null);
    await mkdir(folder, { recursive: true, mode: 0o755 });
    await copyFile(ca, join(folder, CERTIFICATES));
    await chmod(join(folder, CERTIFICATES), 0o644);
    const told = Object.fromEntries(TOLD_BY.map((name) => [name, `/${CERTIFICATES}`]));
    return new BuildSurroundings({ ...told, ...variables }, folder);
  }

  /** The environment of a program with what it does not say itself. */
  around(env: readonly string[]): string[] {
    const has = new Set(env.map((pair) => pair.split("=", 1)[0]));
    const added = Object.entries(this.#variables).filter(([name]) => !has.has(name));
    return [...env, ...added.map(([name, value]) => `${name}=${value}`)];
  }

  /** Takes out of a writable layer what a program that went over all files (`chown -R`) copied into it. */
  async takeOut(upper: string): Promise<void> {
    if (this.layer !== null) await rm(join(upper, CERTIFICATES), { recursive: true, force: true });
  }
}
