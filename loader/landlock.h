/* SPDX-License-Identifier: MIT */
/* Landlock: which files may still be opened, and how. Linux 5.13; rights that the kernel does not know are left out. */
#ifndef RSTAT_LOADER_LANDLOCK_H
#define RSTAT_LOADER_LANDLOCK_H

enum { LANDLOCK_FOLDERS = 2 };

/* The version of its interface, or -errno where the kernel has none or it is off. */
int landlock_version(void);

/*
 * From here on files can be opened, made and removed only below the given directories (descriptors; -1: none), sockets
 * bound and connected not at all, signals sent to nobody outside. 0 or -errno. No new privileges must be on.
 */
int landlock_confine(int version, const int readable[LANDLOCK_FOLDERS], int replaced);

#endif
