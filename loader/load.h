/* SPDX-License-Identifier: MIT */
/* The whole way into the kernel: from the probe's object to memory that the running probe writes. */
#ifndef RSTAT_LOADER_LOAD_H
#define RSTAT_LOADER_LOAD_H

#include "loader/failure.h"
#include "loader/live.h"

struct probe_request {
	struct bytes object;	/* the object file; {0}: the built-in one. Must outlive the probe */
	enum probe_path path;
	uint32_t slots;		/* 0: sized from the machine */
	char *log;		/* where a refusing verifier's last words go, or NULL */
	size_t log_size, log_used;
};

/*
 * Creates maps, loads and attaches all programs and gives every living task a slot. 0, or -errno with the failure
 * saying which step and what to do; nothing is left behind then.
 */
int probe_load(struct probe *probe, struct probe_request *request, struct failure *f);

#endif
