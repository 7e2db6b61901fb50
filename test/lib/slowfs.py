#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""slowfs.py MOUNTPOINT LOG NAME=CONTENT@MS ...: a folder of files as slow to read as sensors can be.

Each reading takes MS milliseconds and adds a line to LOG: its NAME. "@EIO" and the like instead of MS: it fails with that.
Prints "ready" once it is mounted.
"""
import errno
import os
import stat
import sys
import threading
import time

from fusepy import FUSE, FuseOSError, Operations


class Slow(Operations):
    def __init__(self, log, files):
        self.log, self.files = log, files

    def getattr(self, path, fh=None):
        if path == "/":
            return {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2}
        if path[1:] not in self.files:
            raise FuseOSError(errno.ENOENT)
        return {"st_mode": stat.S_IFREG | 0o444, "st_nlink": 1, "st_size": 4096}

    def readdir(self, path, fh):
        return [".", ".."] + list(self.files)

    def read(self, path, size, offset, fh):
        content, cost = self.files[path[1:]]
        with open(self.log, "a") as log:
            log.write(path[1:] + "\n")
        if not cost.isdigit():
            raise FuseOSError(getattr(errno, cost))
        time.sleep(int(cost) / 1000)
        return content[offset:offset + size]


def main():
    mountpoint, log = sys.argv[1:3]
    files = {}
    for word in sys.argv[3:]:
        name, rest = word.split("=", 1)
        content, cost = rest.rsplit("@", 1)
        files[name] = ((content + "\n").encode(), cost)

    def tell():
        while not os.path.ismount(mountpoint):
            time.sleep(0.01)
        print("ready", flush=True)

    threading.Thread(target=tell, daemon=True).start()
    FUSE(Slow(log, files), mountpoint, foreground=True, direct_io=True, nothreads=False, allow_other=True)


main()
