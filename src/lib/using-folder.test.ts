import { expect, it } from "vitest";
import { usingFolder } from "./using-folder.ts";

const use = (error: Error): Promise<unknown> =>
  usingFolder({ path: "/srv/home", what: "The home folder", choice: "set HOME" }, async () => {
    throw error;
  });
const failed = (members: object): Error => Object.assign(new Error("raw"), members);

it.each([
  [
    { code: "EACCES", path: "/srv/home/a/b", syscall: "open" },
    "/srv/home/a/b: this user has no permission (EACCES)",
  ],
  [{ code: "EROFS", path: "/srv/home", syscall: "mkdir" }, "/srv/home: the file system is read-only (EROFS)"],
  [{ code: "ENOTDIR", path: "/srv", syscall: "mkdir" }, "/srv: a part of the path is not a folder (ENOTDIR)"],
  [{ code: "EEXIST", path: "/srv/home", syscall: "mkdir" }, "/srv/home: a file is in its place (EEXIST)"],
  [
    { code: "ENOENT", path: "/srv/home", syscall: "mkdir" },
    "/srv/home: no folder can be created here (ENOENT)",
  ],
  // A write names no path.
  [{ code: "ENOSPC", syscall: "write" }, "the disk is full (ENOSPC)"],
])("an error of the system says which folder, why, and what to do: %j", async (members, why) => {
  await expect(use(failed(members))).rejects.toThrow(
    new Error(
      `The home folder /srv/home cannot be used: ${why}. Make it a folder that this user can write, or set HOME.`,
    ),
  );
});

it.each([
  { code: "EACCES", path: "/srv/home2/a", syscall: "open" },
  { code: "ENOENT", path: "initdb", syscall: "spawn initdb" },
  { code: "EACCES", syscall: "listen", port: 80 },
  { code: "ECONNREFUSED", syscall: "connect" },
  {},
])("other errors are unchanged: %j", async (members) => {
  const error = failed(members);
  await expect(use(error)).rejects.toBe(error);
});
