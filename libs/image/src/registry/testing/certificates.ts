import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Files of a server's certificate and key. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

/** A certificate authority of a test's own, made by openssl in a folder. */
export interface Authority {
  /** Its certificate, for whoever is to trust it. */
  readonly certificate: string;
  /** For a server. @param names as openssl writes them: `IP:127.0.0.1`, `DNS:registry.example` @param until valid from 2020 to then, as `20210101000000Z` */
  issue(names: string, until?: string): Certificate;
}

const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: ["ignore", "pipe", "pipe"] });
const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
const FAR = "20991231000000Z";

export function makeAuthority(dir: string, name: string): Authority {
  mkdirSync(dir, { recursive: true });
  const path = (file: string) => join(dir, file);
  const [certificate, key] = [path("ca.pem"), path("ca.key")];
  openssl("req", "-x509", ...NEW_KEY, "-days", "2", "-subj", `/CN=${name}`, "-keyout", key, "-out", certificate);
  writeFileSync(path("index.txt"), "");
  writeFileSync(path("serial"), "01\n");
  const config = [
    ...["[ca]", "default_ca=own", "[own]", "default_md=sha256", "policy=any", "unique_subject=no"],
    ...[`database=${path("index.txt")}`, `serial=${path("serial")}`, `new_certs_dir=${dir}`],
    ...[`certificate=${certificate}`, `private_key=${key}`],
    ...["[any]", "commonName=supplied", "[server]", "basicConstraints=CA:false"],
  ];
  let issued = 0;
  return {
    certificate,
    issue(names, until = FAR) {
      issued += 1;
      const own = { certificate: path(`server-${issued}.pem`), key: path(`server-${issued}.key`) };
      const request = path(`server-${issued}.csr`);
      writeFileSync(path("ca.cnf"), [...config, `subjectAltName=${names}`].join("\n"));
      openssl("req", "-new", ...NEW_KEY, "-subj", `/CN=server ${issued}`, "-keyout", own.key, "-out", request);
      const validity = ["-startdate", "20200101000000Z", "-enddate", until];
      const files = ["-config", path("ca.cnf"), "-extensions", "server", "-in", request, "-out", own.certificate];
      openssl("ca", "-batch", "-notext", ...validity, ...files);
      return own;
    },
  };
}
