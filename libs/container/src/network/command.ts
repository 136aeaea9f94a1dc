import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { NetworkError } from "./error.ts";

const PACKAGES = { nft: "nftables", ip: "iproute2", unshare: "util-linux" } as const;

/**
 * Runs a program with its input from `input`. Answers what it wrote to standard output.
 * @throws NetworkError with what the program said, or how to get the program
 */
export async function command(program: keyof typeof PACKAGES, args: readonly string[], input = ""): Promise<string> {
  const shown = [program, ...args].join(" ");
  const child = spawn(program, args, { stdio: "pipe", env: { PATH: SYSTEM_PATH, LC_ALL: "C" } });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  child.stdin.on("error", () => {}); // It ended without reading: what it said tells why.
  child.stdin.end(input);
  try {
    const [code, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
    if (code === 0) return stdout;
    throw new NetworkError(shown, stderr.trim().split("\n")[0] || `ended with ${code}`, remedyOf(stderr));
  } catch (error) {
    if (error instanceof NetworkError) throw error;
    const { code = String(error) } = error as NodeJS.ErrnoException;
    const answer = code === "ENOENT" ? `${program} is not installed` : `${program} cannot be run: ${code}`;
    throw new NetworkError(shown, answer, `apt-get install ${PACKAGES[program]}`, error);
  }
}

const SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin";

function remedyOf(said: string): string | null {
  if (/not permitted|permission/i.test(said)) return "run as root";
  if (/not supported|no such file|unknown device type/i.test(said))
    return "the kernel lacks a part: modprobe bridge veth nf_tables nft_masq nft_reject_inet nft_connlimit";
  return null;
}
