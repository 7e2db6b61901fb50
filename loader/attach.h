/* SPDX-License-Identifier: MIT */
/* What the name of a program's section means: its type, and where in the kernel it is attached. */
#ifndef RSTAT_LOADER_ATTACH_H
#define RSTAT_LOADER_ATTACH_H

#include "loader/btf.h"
#include "loader/object.h"

struct attach_point {
	uint32_t program_type, attach_type;
	uint32_t btf_id;	/* of the attach point in the kernel's BTF; 0: not attached, only run */
};

/*
 * tp_btf/NAME, iter/NAME, raw_tp. 0, or -ENOENT where the kernel has no such attach point, -EINVAL for a section
 * of another name.
 */
int attach_resolve(const struct btf *kernel, const struct object_program *program, struct attach_point *point,
		   struct failure *f);

/*
 * Which argument of the tracepoint sched_switch is the outgoing task: 1 or 2 (a short-lived layout of 5.18-rc and
 * some backports has prev_state before it). -EINVAL where neither is a task.
 */
int attach_prev_argument(const struct btf *kernel, struct failure *f);

#endif
