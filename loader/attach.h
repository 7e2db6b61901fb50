/* SPDX-License-Identifier: MIT */
/* What the name of a program's section means: on which paths it is loaded, as what, and where it is attached. */
#ifndef RSTAT_LOADER_ATTACH_H
#define RSTAT_LOADER_ATTACH_H

#include "loader/btf.h"
#include "loader/object.h"

enum point_kind {
	POINT_RUN,	/* not attached, only run */
	POINT_ITER,
	POINT_BTF,
	POINT_RAW,
	POINT_PERF,
};

struct attach_point {
	enum point_kind kind;
	uint32_t program_type, attach_type;
	uint32_t btf_id;	/* of the attach point in the kernel's BTF; 0: none */
	const char *name;	/* of the tracepoint, the iterator's type or the test run: the last part of the section's */
	const char *event;	/* POINT_PERF: "sched/sched_switch" */
};

/*
 * Whether a path loads the section: btf tp_btf/NAME, iter/TYPE, test_run/NAME; raw and perf portable/GROUP/NAME,
 * portable_iter/TYPE, portable_run/NAME. Sections of other names are wanted by all, so that attach_resolve() is asked.
 */
bool attach_wants(const char *section, enum probe_path path);

/* 0, or -ENOENT where the kernel has no such attach point, -EINVAL for a section of another name. */
int attach_resolve(const struct btf *kernel, const struct object_program *program, enum probe_path path,
		   struct attach_point *point, struct failure *f);

/*
 * Which argument of the tracepoint sched_switch is the outgoing task: 1 or 2 (a short-lived layout of 5.18-rc and
 * some backports has prev_state before it). -EINVAL where neither is a task.
 */
int attach_prev_argument(const struct btf *kernel, struct failure *f);

#endif
