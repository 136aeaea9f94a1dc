import { chmod, copyFile, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { CourierPrograms } from "@mayfly/image";

/**
 * Who speaks with registries in our place. @param certificates the operator's file of CAs, of which it gets a copy in `folder`, which it can read
 * whoever may read that file. @throws Error when it cannot be read
 */
export async function courierOf(native: string, folder: string, certificates: string | null): Promise<CourierPrograms> {
  const programs = { cage: join(native, "courier-cage"), program: join(native, "courier.mjs") };
  await rm(folder, { recursive: true, force: true });
  if (certificates === null) return programs;
  const copy = join(folder, "certificates.pem");
  await mkdir(folder, { recursive: true, mode: 0o755 });
  await copyFile(certificates, copy);
  await chmod(copy, 0o644);
  return { ...programs, certificates: copy };
}
