import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeDirectory, removeDirectory } from "../testing/temporary.ts";
import { type RegistryClient, registryClient } from "./client.ts";
import { type Authority, type Certificate, makeAuthority } from "./testing/certificates.ts";
import { builtCourier } from "./testing/courier.ts";
import { type DockerRegistry, startDockerRegistry } from "./testing/docker-registry.ts";
import { type Front, startFront } from "./testing/front.ts";
import { blobsOf, emptyStore, makeImage } from "./testing/images.ts";

/** It leads to this machine, and is none of the names that plain HTTP is for. */
const NAME = "0.0.0.0";
const MiB = 1024 * 1024;
const programs = builtCourier();

describe("a registry by TLS", () => {
  let dir: string;
  let ours: Authority;
  let strange: Authority;
  let registries: DockerRegistry[];
  /** Of `ours` with the right name. */
  let right: string;
  let plain: Front;
  beforeAll(async () => {
    dir = makeDirectory("memory");
    ours = makeAuthority(join(dir, "ours"), "ours");
    strange = makeAuthority(join(dir, "strange"), "strange");
    registries = [];
    right = await start(ours.issue(`IP:${NAME}`));
    plain = await startFront(registries[0]!.host);
  });
  afterAll(async () => {
    plain.close();
    for (const registry of registries) await registry.close();
    removeDirectory(dir);
  });

  async function start(tls: Certificate): Promise<string> {
    const registry = await startDockerRegistry({ tls });
    registries.push(registry);
    return registry.host.replace("127.0.0.1", NAME);
  }

  /** With a courier that knows the CAs of a file besides those that Node knows. */
  const client = (store: Awaited<ReturnType<typeof emptyStore>>, certificates: string | null): RegistryClient =>
    registryClient({ store, courier: { ...programs, certificates } });

  it("is pulled from and pushed to when the operator names its CA: digests are equal", async () => {
    const [here, there] = [await emptyStore(), await emptyStore()];
    const image = await makeImage(here, 3, MiB);
    await client(here, ours.certificate).push(image, `${right}/app:1`);
    expect(await client(there, ours.certificate).pull(`${right}/app:1`)).toMatchObject({ image });
    expect(await blobsOf(there, image)).toEqual(await blobsOf(here, image));
  });

  it.each<[string, () => Promise<string> | string, () => string | null, RegExp]>([
    ["of a CA that nobody named", () => right, () => null, /its certificate is of no CA that is trusted here/],
    ["of another CA than was named", () => right, () => strange.certificate, /of no CA that is trusted here/],
    [
      "of another host",
      () => start(ours.issue("DNS:registry.example,IP:192.0.2.1")),
      () => ours.certificate,
      /its certificate is of another host \(.*192\.0\.2\.1/,
    ],
    [
      "that has expired",
      () => start(ours.issue(`IP:${NAME}`, "20210101000000Z")),
      () => ours.certificate,
      /its certificate has expired/,
    ],
  ])("with a certificate %s is refused at once, either way, and says so", async (_, host, certificates, said) => {
    const store = await emptyStore();
    const image = await makeImage(store, 1, 1000);
    const place = `${await host()}/refused:1`;
    const known = client(store, certificates());
    const refusal = { reason: "refused", message: expect.stringMatching(said) };
    await expect(known.pull(place)).rejects.toMatchObject(refusal);
    await expect(known.push(image, place)).rejects.toMatchObject(refusal);
    expect([...(await store.tags()).keys()]).toEqual([]);
  });

  it("is never spoken to in plain HTTP: one that has no TLS hears nothing that it could read", async () => {
    const host = plain.host.replace("127.0.0.1", NAME);
    const store = await emptyStore();
    const pull = client(store, ours.certificate).pull(`${host}/app:1`);
    await expect(pull).rejects.toMatchObject({
      reason: "refused",
      message: expect.stringContaining("does not speak TLS"),
    });
    expect(plain.seen).toEqual([]);
  });
});
