/* SPDX-License-Identifier: MIT */
/* The whole way into the kernel: from the probe's object to memory that the running probe writes. */
#ifndef RSTAT_LOADER_LOAD_H
#define RSTAT_LOADER_LOAD_H

#include "loader/bpf.h"
#include "loader/failure.h"
#include "loader/object.h"

enum { PROBE_LINKS_MAX = 3 };

struct probe_request {
	struct bytes object;	/* the object file; {0}: the built-in one. Must outlive the probe */
	uint32_t slots;		/* 0: sized from the machine */
	char *log;		/* where a refusing verifier's last words go, or NULL */
	size_t log_size, log_used;
};

/* The running probe. Everything in the mapped memory changes under the reader. */
struct probe {
	const struct slot *slots;	/* the first `mapped` of them may be read */
	uint32_t capacity, mapped;
	const struct running *running;
	uint32_t cpus;			/* possible: entries of running */
	const struct counters *counters;
	struct epoch *epoch;		/* the one thing user space writes */

	int slots_map, sample, seed;	/* descriptors; -1: none */
	int link[PROBE_LINKS_MAX];
	int program[OBJECT_PROGRAMS_MAX];	/* until probe_seal(), in the object's order */
	const char *program_name[OBJECT_PROGRAMS_MAX];
	uint32_t programs;
	uint32_t switch_btf_id;		/* of sched_switch in the kernel's BTF, for another program there */
};

/*
 * Creates maps, loads and attaches all programs and gives every living task a slot. 0, or -errno with the failure
 * saying which step and what to do; nothing is left behind then.
 */
int probe_load(struct probe *probe, struct probe_request *request, struct failure *f);

/* Closes the descriptors that only --check and --profile need. */
void probe_seal(struct probe *probe);

/* Moves the epoch and copies what runs now; the scan may begin. 0 or -errno. One system call. */
int probe_begin_scan(struct probe *probe);

/* Slots that may hold a task and can be read. Maps another piece where the tasks have become more. */
uint32_t probe_readable(struct probe *probe);

/* A pass over all tasks: slots for those without, fresh RSS for sleepers. 0 or -errno. */
int probe_refresh(struct probe *probe);

/* Detaches and unmaps everything. The kernel would do it at exit as well. */
void probe_unload(struct probe *probe);

#endif
