/* SPDX-License-Identifier: MIT */
/*
 * Giving power up: what the loop does not need is taken from it, for good. After sandbox_enter() there is nothing in
 * the process to steal but what it shows anyway.
 */
#ifndef RSTAT_LOADER_SANDBOX_H
#define RSTAT_LOADER_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loader/landlock.h"

enum { CAP_DAC_OVERRIDE = 1, CAP_DAC_READ_SEARCH = 2, CAP_SETPCAP = 8, CAP_SYS_PTRACE = 19, CAP_SYS_ADMIN = 21, CAP_PERFMON = 38, CAP_BPF = 39 };

/* What is still needed, beside the timer, the signals, the clock, kept files and the two streams. */
struct sandbox {
	bool probe;		/* bpf(2): run a program that is held, open an iterator */
	int slots_map;		/* of which more is mapped as tasks come, ... */
	const void *slots;	/* ... into the range that is reserved for it: its beginning, and its size with what may overlap */
	size_t slots_size;
	bool terminal;		/* its size, its settings, and to stop */
	int proc;		/* directory below which files are opened to be read; -1: none */
	int sensors[LANDLOCK_FOLDERS];	/* the same, granted only where Landlock confines it */
	int output;		/* directory in which a file is replaced; -1: none */
	const char *fresh, *name;	/* the new file and the one it replaces: the only names, at addresses that cannot be written */
	unsigned mode;		/* of the new file */
	uint64_t capabilities;	/* to keep, of those held: a set of bits */
	unsigned descriptors;	/* how many more may be open at a time */
};

/* What may still be opened. */
enum { SANDBOX_PROC = 1, SANDBOX_SENSORS = 2, SANDBOX_OUTPUT = 4 };

/* Of one mapping of slots; what is reserved for them ends by as much behind the last one. */
enum { SANDBOX_PIECE_MAX = 131072 };

/* What came of it: 0 or -errno each. */
struct sandbox_report {
	int capabilities, no_new_privs, limits, landlock, seccomp;
	uint64_t kept;		/* capabilities */
	unsigned landlock_version, calls;
	unsigned opens;		/* a set of the above */
};

/*
 * In this order: capabilities out of every set but `capabilities`, no new ones by exec, limits, Landlock, seccomp. What a
 * kernel does not have is left out, and the report says so; 0, or the -errno of what every kernel has, or of what this one
 * has and fails to do: limits of who started us must not decide what is given up.
 */
int sandbox_enter(const struct sandbox *wants, struct sandbox_report *report);

/* Whether `works` fails with -EPERM once no capability is in effect: then it needs one. They are in effect again afterwards. */
bool sandbox_needs_capability(int (*works)(void *data), void *data);

#endif
