import type { IncomingMessage } from "node:http";
import type { HttpBindings } from "@hono/node-server";
import { BadSetting, FIXED_LIMITS, parseBuildOptions, REQUEST_PARAMETERS } from "@mayfly/contract";
import type { Context } from "hono";
import type { DeployRequest } from "./deploy.ts";
import { formSource } from "./form.ts";

/** What a request has for a source, its settings and what is asked of its build. @throws Fault bad_request; BadSetting */
export async function requestedSource(
  context: Context<{ Bindings: HttpBindings }>,
): Promise<Omit<DeployRequest, "name">> {
  const parameters = [...new URL(context.req.url).searchParams];
  const settings = parameters.filter(
    ([name]) => name !== "file" && !(REQUEST_PARAMETERS as readonly string[]).includes(name),
  );
  refuseSecretsIn(settings);
  const type = context.req.header("content-type");
  const fileName = context.req.query("file");
  const request = context.env.incoming as IncomingMessage;
  const { host } = request.headers;
  const common = { host, announcedBytes: Number(request.headers["content-length"] ?? 0) };
  if (type?.startsWith("multipart/form-data")) {
    const { body, contentType, fileName: formName, settings: config, secrets } = await formSource(request);
    return {
      ...common,
      ...{ body, contentType, fileName: fileName ?? formName, secrets },
      settings: () => {
        refuseSecretsIn(config);
        return [...config, ...settings];
      },
      options: () => {
        requireFits(secrets);
        return parseBuildOptions(parameters, secrets.keys());
      },
    };
  }
  // curl says this of any -d; it says nothing about the source.
  const known = type === "application/x-www-form-urlencoded" || type === "application/octet-stream" ? undefined : type;
  return {
    ...common,
    ...{ body: request, contentType: known, fileName, secrets: new Map() },
    settings: () => settings,
    options: () => parseBuildOptions(parameters, []),
  };
}

/** A URL ends in logs, and settings in the catalog. */
function refuseSecretsIn(pairs: Iterable<readonly [string, unknown]>): void {
  for (const [name] of pairs) {
    if (name.startsWith("secret."))
      throw new BadSetting(name, `a secret is a part of a form: curl -F ${name}=@file -F source=@Dockerfile`);
  }
}

function requireFits(secrets: ReadonlyMap<string, Uint8Array>): void {
  const size = [...secrets.values()].reduce((sum, value) => sum + value.byteLength, 0);
  if (size > FIXED_LIMITS.secrets_bytes)
    throw new BadSetting("secret", `the secrets have ${size} bytes, the limit is ${FIXED_LIMITS.secrets_bytes}`);
}
