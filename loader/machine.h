/* SPDX-License-Identifier: MIT */
/* What the sizes of the probe's maps depend on, read once at start. */
#ifndef RSTAT_LOADER_MACHINE_H
#define RSTAT_LOADER_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loader/failure.h"
#include "loader/object.h"

enum { MACHINE_CPUS_MAX = 8192, MACHINE_SLOTS_MIN = 64, MACHINE_SLOTS_MAX = 1 << 22 };

/* A kernel list of CPUs, "0-3,8": the highest number + 1, or 0 where it is no such list. */
uint32_t machine_cpu_list(const char *list, size_t size);

/* Possible CPUs (/sys/devices/system/cpu/possible); 256 where sysfs does not say. */
uint32_t machine_possible_cpus(void);

/* The kernel's own limit of threads (/proc/sys/kernel/threads-max): more slots are of no use. */
uint32_t machine_most_slots(void);

/*
 * Slots for this machine: one per 512 KiB of memory, at least 4096, at most the kernel's own limit of
 * threads. A slot costs 76 bytes of kernel memory, so this is 0.015% of all.
 */
uint32_t machine_default_slots(void);

/*
 * Kernels before 5.11 charge BPF's memory against RLIMIT_MEMLOCK and answer EPERM. Raises the limit as far as it may be:
 * true where it is higher now. machine_may_be_short: it is finite, and the capabilities that BPF wants are there.
 */
bool machine_raise_locked(void);
bool machine_may_be_short(void);

/* Whether the kernel is locked down so far that BPF may not read its memory (/sys/kernel/security/lockdown). */
bool machine_is_confidential(void);

/* The same of the file's content, "none [integrity] confidentiality": the mode in brackets holds. */
bool machine_lockdown(const char *modes, size_t size);

/*
 * The whole of a regular file: 0, with the memory in *arena (arena->used bytes, aligned to a page), or -errno
 * (-EINVAL: empty, or no regular file). kernels_own: only the kernel can change it, so it may be mapped.
 */
int machine_read_file(const char *path, bool kernels_own, struct arena *arena);

#endif
