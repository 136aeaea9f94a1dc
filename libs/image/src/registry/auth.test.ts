import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "@mayfly/contract";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ImageStore } from "../image-store.ts";
import type { Credential } from "./authorizer.ts";
import { registryClient } from "./client.ts";
import { type DockerRegistry, startDockerRegistry } from "./testing/docker-registry.ts";
import { emptyStore, makeImage } from "./testing/images.ts";
import { SERVICE, startTokenServer, type TokenServer } from "./testing/token-server.ts";

const QUICK = { attempts: 3, first_ms: 5, most_ms: 20, longest_wait_ms: 2_000 };
/** bcrypt of `secret`. */
const HTPASSWD = "me:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n";

const client = (store: ImageStore, credential: Credential | null) =>
  registryClient({ store, credential: () => credential, retry: QUICK });
const ME = { username: "me", password: "secret" };
const unauthorized = (message: RegExp) => ({ reason: "unauthorized", message: expect.stringMatching(message) });

async function withImage(): Promise<{ store: ImageStore; image: Digest }> {
  const store = await emptyStore();
  return { store, image: await makeImage(store, 2, 1000) };
}

describe("a registry that wants a user and a password", () => {
  let registry: DockerRegistry;
  beforeAll(async () => {
    const auth = async (dir: string) => {
      await writeFile(join(dir, "htpasswd"), HTPASSWD);
      return `auth: {htpasswd: {realm: test, path: ${dir}/htpasswd}}`;
    };
    registry = await startDockerRegistry({ auth });
  });
  afterAll(() => registry.close());

  it("takes the right ones, and of others it is told what to do", async () => {
    const { store, image } = await withImage();
    const to = `${registry.host}/app:1`;
    await expect(client(store, null).push(image, to)).rejects.toMatchObject(
      unauthorized(/give a user and a password for 127/),
    );
    const wrong = client(store, { ...ME, password: "wrong" }).push(image, to);
    await expect(wrong).rejects.toMatchObject(unauthorized(/401.*the credential for 127.* is not valid/));
    await expect(wrong).rejects.not.toMatchObject({ message: expect.stringContaining("wrong") });
    await client(store, ME).push(image, to);
    expect((await client(await emptyStore(), ME).pull(to)).image).toBe(image);
  });
});

describe("a registry that wants tokens", () => {
  let registry: DockerRegistry;
  let tokens: TokenServer;
  beforeAll(async () => {
    const auth = async (dir: string) => {
      tokens = await startTokenServer(dir);
      return tokens.config;
    };
    registry = await startDockerRegistry({ auth });
  });
  beforeEach(() => {
    tokens.asked.length = 0;
    tokens.expires_in = 300;
  });
  afterAll(async () => {
    tokens.close();
    await registry.close();
  });

  it("is asked once for all that a push needs, and lets anybody pull", async () => {
    const { store, image } = await withImage();
    const to = `${registry.host}/app:1`;
    await client(store, ME).push(image, to);
    expect(tokens.asked).toHaveLength(1);
    const [{ form, user }] = tokens.asked as [TokenServer["asked"][number]];
    expect([form.get("service"), form.get("scope"), form.get("account"), user]).toEqual([
      ...[SERVICE, "repository:app:pull,push", "me", "me"],
    ]);
    expect((await client(await emptyStore(), null).pull(to)).image).toBe(image);
    expect(tokens.asked.at(-1)).toMatchObject({ user: null });
  });

  it("is asked for a wider token for a mount", async () => {
    const { store, image } = await withImage();
    const shared = client(store, ME);
    await shared.push(image, `${registry.host}/from:1`);
    await shared.push(image, `${registry.host}/to:1`);
    expect(tokens.asked.map(({ form }) => form.getAll("scope"))).toContainEqual([
      ...["repository:to:pull,push", "repository:from:pull"],
    ]);
  });

  it("refuses whom it does not know, and what nobody may do without being known", async () => {
    const { store, image } = await withImage();
    const to = `${registry.host}/app:1`;
    const wrong = client(store, { ...ME, password: "wrong" }).push(image, to);
    await expect(wrong).rejects.toMatchObject(unauthorized(/asking for a token: 127.*401/));
    await expect(client(store, null).push(image, to)).rejects.toMatchObject(unauthorized(/give a user and a password/));
  });

  it("takes the token that a login has kept", async () => {
    const { store, image } = await withImage();
    await client(store, { identity_token: "refresh" }).push(image, `${registry.host}/kept:1`);
    expect(tokens.asked.map(({ method, form }) => [method, form.get("grant_type")])).toEqual([
      ["POST", "refresh_token"],
    ]);
  });

  it("is asked again when a token is about to end", async () => {
    const { store, image } = await withImage();
    tokens.expires_in = 1;
    await client(store, ME).push(image, `${registry.host}/short:1`);
    expect(tokens.asked.length).toBeGreaterThan(3);
  });
});
