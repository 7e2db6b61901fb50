/* SPDX-License-Identifier: MIT */
#include "loader/attach.h"

#include "loader/bpf.h"
#include "loader/sys.h"
#include "loader/text.h"

enum { NAME_MAX = 64 };

/* prefix + name as a C string in data[NAME_MAX]. */
static const char *joined(char *data, const char *prefix, const char *name)
{
	struct text t = text_over(data, NAME_MAX - 1);

	text_string(&t, prefix);
	text_string(&t, name);
	data[t.used] = 0;
	return data;
}

static const char *after_slash(const char *string)
{
	const char *rest = string;

	for (; *string; string++)
		if (*string == '/')
			rest = string + 1;
	return rest;
}

bool attach_wants(const char *section, enum probe_path path)
{
	static const char *const portable[] = { "portable/", "portable_iter/", "portable_run/" };
	static const char *const tracing[] = { "tp_btf/", "iter/", "test_run/" };

	for (unsigned i = 0; i < 3; i++) {
		if (string_after(section, portable[i]))
			return path != PATH_BTF;
		if (string_after(section, tracing[i]))
			return path == PATH_BTF;
	}
	return true;
}

static void set_portable(struct attach_point *point, const char *event, enum probe_path path)
{
	point->kind = path == PATH_PERF ? POINT_PERF : POINT_RAW;
	point->program_type = path == PATH_PERF ? BPF_PROG_TRACEPOINT : BPF_PROG_RAW_TRACEPOINT;
	point->event = event;
}

int attach_resolve(const struct btf *kernel, const struct object_program *program, enum probe_path path,
		   struct attach_point *point, struct failure *f)
{
	const char *section = program->section, *rest;
	char name[NAME_MAX];

	*point = (struct attach_point){ .program_type = BPF_PROG_TRACING, .name = after_slash(section) };
	if ((rest = string_after(section, "portable/"))) {
		set_portable(point, rest, path);
		return 0;
	}
	if (string_after(section, "test_run/") || string_after(section, "portable_run/")) {
		point->kind = POINT_RUN;
		point->program_type = BPF_PROG_RAW_TRACEPOINT;
		return 0;
	}
	if ((rest = string_after(section, "tp_btf/"))) {
		point->kind = POINT_BTF;
		point->attach_type = BPF_TRACE_RAW_TP;
		point->btf_id = btf_find(kernel, BTF_TYPEDEF, joined(name, "btf_trace_", rest));
	} else if ((rest = string_after(section, "iter/")) || (rest = string_after(section, "portable_iter/"))) {
		point->kind = POINT_ITER;
		point->attach_type = BPF_TRACE_ITER;
		point->btf_id = btf_find(kernel, BTF_FUNC, joined(name, "bpf_iter_", rest));
	} else {
		return fail(f, -SYS_EINVAL, "read probe object,", section, "no kind of program that this loader knows");
	}
	if (!point->btf_id)
		return fail(f, -SYS_ENOENT, "find attach point", section, "this kernel does not have it");
	return 0;
}

static int is_task_pointer(const struct btf *kernel, uint32_t id)
{
	struct btf_type type = btf_type(kernel, btf_strip(kernel, id));

	if (type.kind != BTF_PTR)
		return 0;
	type = btf_type(kernel, btf_strip(kernel, type.type));
	return type.kind == BTF_STRUCT && string_equal(type.name, "task_struct");
}

int attach_prev_argument(const struct btf *kernel, struct failure *f)
{
	struct btf_type type = btf_type(kernel, btf_find(kernel, BTF_TYPEDEF, "btf_trace_sched_switch"));

	type = btf_type(kernel, btf_strip(kernel, type.type));
	if (type.kind == BTF_PTR)
		type = btf_type(kernel, btf_strip(kernel, type.type));
	/* parameter 0 is the tracepoint's own data; the program's arguments begin behind it */
	for (uint32_t i = 1; type.kind == BTF_FUNC_PROTO && i <= 2; i++)
		if (i + 2 < type.count && is_task_pointer(kernel, btf_parameter(kernel, &type, i + 1)) &&
		    is_task_pointer(kernel, btf_parameter(kernel, &type, i + 2)))
			return (int)i;
	return fail(f, -SYS_EINVAL, "find attach point", "tp_btf/sched_switch",
		    "its arguments are in no known order");
}
