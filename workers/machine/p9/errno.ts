/** Linux error numbers as 9P2000.L's Rlerror carries them, and the error that the trees and the server throw. */

export const errno = {
  EPERM: 1,
  ENOENT: 2,
  EIO: 5,
  EBADF: 9,
  EEXIST: 17,
  EXDEV: 18,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  EFBIG: 27,
  ENOSPC: 28,
  EROFS: 30,
  EMLINK: 31,
  ENAMETOOLONG: 36,
  ENOTEMPTY: 39,
  ELOOP: 40,
  EPROTO: 71,
  EOPNOTSUPP: 95,
} as const;

export type Errno = keyof typeof errno;

/** A refusal that the guest sees as `errno`. Anything else thrown by a tree is a bug and becomes EIO. */
export class P9Error extends Error {
  readonly code: Errno;

  constructor(code: Errno, text?: string) {
    super(text === undefined ? code : `${code}: ${text}`);
    this.name = "P9Error";
    this.code = code;
  }

  get number(): number {
    return errno[this.code];
  }
}
