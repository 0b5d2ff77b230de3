/** The half of a file system that a read-only tree shares: every change is EROFS, and nothing needs holding or syncing. */
import { P9Error } from "./errno.ts";
import type { Attributes, DirectoryEntry, FileSystem, FileSystemStatistics, Inode, MaybePromise } from "./tree.ts";

export abstract class ReadOnlyFileSystem implements FileSystem {
  abstract attributes(inode: Inode): MaybePromise<Attributes>;
  abstract lookup(directory: Inode, name: string): MaybePromise<Inode | undefined>;
  abstract parent(directory: Inode): Inode;
  abstract list(directory: Inode): MaybePromise<DirectoryEntry[]>;
  abstract read(inode: Inode, offset: number, count: number): MaybePromise<Uint8Array>;
  abstract readlink(inode: Inode): MaybePromise<string>;

  write(): never {
    throw new P9Error("EROFS");
  }

  create(): never {
    throw new P9Error("EROFS");
  }

  link(): never {
    throw new P9Error("EROFS");
  }

  unlink(): never {
    throw new P9Error("EROFS");
  }

  rename(): never {
    throw new P9Error("EROFS");
  }

  change(): never {
    throw new P9Error("EROFS");
  }

  sync(): void {}

  retain(): void {}

  release(): void {}

  statistics(): FileSystemStatistics {
    return { blocks: 1 << 20, free: 0, files: 1 << 20, freeFiles: 0 };
  }
}
