/* SPDX-License-Identifier: MIT */
/* Where programs are attached, asked of kernels built by hand. */
#include "test/unit/btf_build.h"

#include "loader/attach.h"
#include "loader/bpf.h"
#include "loader/sys.h"

static struct btf_build kernel;
static struct failure failure;

enum part { VOID_POINTER, BOOL, UNSIGNED, TASK, CONST_TASK, OTHER, TASK_VALUE, TASK_UNION, PARTS };

/* typedef RETURN (*btf_trace_sched_switch)(parts ...), its pointer left out where direct. */
static int prev_of(const enum part *parts, uint32_t count, int direct)
{
	struct build_part parameter[8] = { 0 };
	uint32_t id[PARTS], task, other, same_name, proto;
	int argument;

	build_begin(&kernel);
	id[UNSIGNED] = build_int(&kernel, "unsigned int", 4, 0);
	id[BOOL] = build_int(&kernel, "_Bool", 1, 0);
	id[VOID_POINTER] = build_type(&kernel, "", BTF_PTR, 0, 0);
	task = build_struct(&kernel, "task_struct", 8, { "x", id[UNSIGNED], 0 });
	other = build_struct(&kernel, "rq", 8, { "x", id[UNSIGNED], 0 });
	same_name = build_union(&kernel, "task_struct", 8, { "x", id[UNSIGNED], 0 });
	id[TASK] = build_type(&kernel, "", BTF_PTR, 0, task);
	id[CONST_TASK] = build_type(&kernel, "", BTF_PTR, 0, build_type(&kernel, "", BTF_CONST, 0, task));
	id[OTHER] = build_type(&kernel, "", BTF_PTR, 0, other);
	id[TASK_UNION] = build_type(&kernel, "", BTF_PTR, 0, same_name);
	id[TASK_VALUE] = task;
	for (uint32_t i = 0; i < count; i++)
		parameter[i] = (struct build_part){ "", id[parts[i]] };
	proto = build_parts(&kernel, "", BTF_FUNC_PROTO, 0, 0, parameter, count);
	if (!direct)
		proto = build_type(&kernel, "", BTF_PTR, 0, proto);
	build_type(&kernel, "btf_trace_sched_switch", BTF_TYPEDEF, 0, proto);
	build_open(&kernel);
	failure = (struct failure){ 0 };
	argument = attach_prev_argument(&kernel.btf, &failure);
	build_close(&kernel);
	return argument;
}

static void orders_of_arguments(void **state)
{
	static const struct {
		enum part part[8];
		uint32_t count;
		int want;
	} rows[] = {
		/* to 5.17; 5.18 and later; in between */
		{ { VOID_POINTER, BOOL, TASK, TASK }, 4, 1 },
		{ { VOID_POINTER, BOOL, TASK, TASK, UNSIGNED }, 5, 1 },
		{ { VOID_POINTER, BOOL, UNSIGNED, TASK, TASK }, 5, 2 },
		{ { VOID_POINTER, BOOL, CONST_TASK, CONST_TASK, UNSIGNED }, 5, 1 },
		/* none that is known */
		{ { VOID_POINTER, BOOL, TASK, OTHER, UNSIGNED }, 5, -SYS_EINVAL },
		{ { VOID_POINTER, BOOL, OTHER, TASK, UNSIGNED }, 5, -SYS_EINVAL },
		{ { VOID_POINTER, TASK, TASK, BOOL }, 4, -SYS_EINVAL },
		{ { VOID_POINTER, BOOL, UNSIGNED, UNSIGNED, TASK, TASK }, 6, -SYS_EINVAL },
		{ { VOID_POINTER, BOOL, TASK_VALUE, TASK_VALUE }, 4, -SYS_EINVAL },
		{ { VOID_POINTER, BOOL, TASK_UNION, TASK_UNION }, 4, -SYS_EINVAL },
		{ { VOID_POINTER, BOOL, TASK }, 3, -SYS_EINVAL },
		{ { VOID_POINTER, BOOL, UNSIGNED, TASK }, 4, -SYS_EINVAL },
		{ { VOID_POINTER }, 1, -SYS_EINVAL },
		{ { VOID_POINTER }, 0, -SYS_EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		for (int direct = 0; direct <= 1; direct++) {
			int argument = prev_of(rows[i].part, rows[i].count, direct);

			if (argument != rows[i].want)
				print_error("row %zu\n", i);
			assert_int_equal(argument, rows[i].want);
			if (argument < 0)
				check_failure(&failure, "its arguments are in no known order");
		}
	}
	build_begin(&kernel);	/* no tracepoint at all; one that is no function; one in a circle */
	build_open(&kernel);
	failure = (struct failure){ 0 };
	assert_int_equal(attach_prev_argument(&kernel.btf, &failure), -SYS_EINVAL);
	build_close(&kernel);
	build_begin(&kernel);
	build_int(&kernel, "int", 4, 1);
	build_type(&kernel, "btf_trace_sched_switch", BTF_TYPEDEF, 0, 1);
	build_open(&kernel);
	assert_int_equal(attach_prev_argument(&kernel.btf, &failure), -SYS_EINVAL);
	build_close(&kernel);
	build_begin(&kernel);
	build_type(&kernel, "btf_trace_sched_switch", BTF_TYPEDEF, 0, 1);
	build_open(&kernel);
	assert_int_equal(attach_prev_argument(&kernel.btf, &failure), -SYS_EINVAL);
	build_close(&kernel);
}

static void sections(void **state)
{
	enum { TYPEDEF_ID = 2, FUNCTION_ID = 4 };
	static const struct {
		const char *section;
		enum probe_path path;
		int error;
		struct attach_point want;
	} rows[] = {
		{ "tp_btf/x", PATH_BTF, 0, { POINT_BTF, BPF_PROG_TRACING, BPF_TRACE_RAW_TP, TYPEDEF_ID, "x", 0 } },
		{ "iter/x", PATH_BTF, 0, { POINT_ITER, BPF_PROG_TRACING, BPF_TRACE_ITER, FUNCTION_ID, "x", 0 } },
		{ "test_run/any", PATH_BTF, 0, { POINT_RUN, BPF_PROG_RAW_TRACEPOINT, 0, 0, "any", 0 } },
		{ "portable/g/x", PATH_RAW, 0, { POINT_RAW, BPF_PROG_RAW_TRACEPOINT, 0, 0, "x", "g/x" } },
		{ "portable/g/x", PATH_PERF, 0, { POINT_PERF, BPF_PROG_TRACEPOINT, 0, 0, "x", "g/x" } },
		{ "portable_iter/x", PATH_RAW, 0,
		  { POINT_ITER, BPF_PROG_TRACING, BPF_TRACE_ITER, FUNCTION_ID, "x", 0 } },
		{ "portable_run/any", PATH_PERF, 0, { POINT_RUN, BPF_PROG_RAW_TRACEPOINT, 0, 0, "any", 0 } },
		{ "portable_iter/y", PATH_RAW, -SYS_ENOENT, { 0 } },
		{ "tp_btf/y", PATH_BTF, -SYS_ENOENT, { 0 } },
		{ "tp_btf/", PATH_BTF, -SYS_ENOENT, { 0 } },
		{ "iter/y", PATH_BTF, -SYS_ENOENT, { 0 } },
		{ "iter/", PATH_BTF, -SYS_ENOENT, { 0 } },
		{ "raw_tp/x", PATH_RAW, -SYS_EINVAL, { 0 } },
		{ "tp_btf", PATH_BTF, -SYS_EINVAL, { 0 } },
		{ "kprobe/x", PATH_BTF, -SYS_EINVAL, { 0 } },
		{ "", PATH_BTF, -SYS_EINVAL, { 0 } },
		{ "tp_btf/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", PATH_BTF,
		  -SYS_ENOENT, { 0 } },
	};

	(void)state;
	build_begin(&kernel);
	build_int(&kernel, "int", 4, 1);
	build_type(&kernel, "btf_trace_x", BTF_TYPEDEF, 0, 1);
	build_type(&kernel, "bpf_iter_x", BTF_TYPEDEF, 0, 1);
	build_type(&kernel, "bpf_iter_x", BTF_FUNC, 0, 1);
	build_open(&kernel);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct object_program program = { .name = "p", .section = rows[i].section };
		struct attach_point point;

		failure = (struct failure){ 0 };
		assert_int_equal(attach_resolve(&kernel.btf, &program, rows[i].path, &point, &failure), rows[i].error);
		if (rows[i].error) {
			check_failure(&failure, rows[i].error == -SYS_ENOENT ? "this kernel does not have it" :
									       "no kind of program");
			continue;
		}
		assert_int_equal(point.kind, rows[i].want.kind);
		assert_string_equal(point.name, rows[i].want.name);
		assert_int_equal(point.event != NULL, rows[i].want.event != NULL);
		if (point.event)
			assert_string_equal(point.event, rows[i].want.event);
		assert_int_equal(point.program_type, rows[i].want.program_type);
		assert_int_equal(point.attach_type, rows[i].want.attach_type);
		assert_int_equal(point.btf_id, rows[i].want.btf_id);
	}
	build_close(&kernel);
}

/* What belongs to no path is wanted by all, so that it is refused. */
static void paths(void **state)
{
	static const struct {
		const char *section;
		int btf, portable;
	} rows[] = {
		{ "tp_btf/x", 1, 0 },	{ "iter/x", 1, 0 },	     { "test_run/x", 1, 0 },
		{ "portable/x", 0, 1 }, { "portable_iter/x", 0, 1 }, { "portable_run/x", 0, 1 },
		{ "kprobe/x", 1, 1 },	{ "", 1, 1 },		     { "portable", 1, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(attach_wants(rows[i].section, PATH_BTF), rows[i].btf);
		assert_int_equal(attach_wants(rows[i].section, PATH_RAW), rows[i].portable);
		assert_int_equal(attach_wants(rows[i].section, PATH_PERF), rows[i].portable);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders_of_arguments),
		cmocka_unit_test(sections),
		cmocka_unit_test(paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
