/* SPDX-License-Identifier: MIT */
/* CO-RE: our view of a struct against what a kernel may have, and what becomes of the instruction. */
#include "test/unit/btf_build.h"

#include "loader/core.h"

/* Ours: task { int pid; u32 state; mm *mm; u8 name[16]; struct { s64 count; } rss[4]; }, and an enum. */
static struct btf_build ours, kernel;
static uint32_t our_task, our_enum, path_at;

static void build_ours(const char *task_name, const char *path)
{
	uint32_t i32, u32, u8, s64, mm, pointer, name, counter, counters;

	build_begin(&ours);
	i32 = build_int(&ours, "int", 4, 1);
	u32 = build_int(&ours, "unsigned", 4, 0);
	u8 = build_int(&ours, "char", 1, 0);
	s64 = build_int(&ours, "long", 8, 1);
	mm = build_struct(&ours, "mm", 8, { "x", s64, 0 });
	pointer = build_type(&ours, "", BTF_PTR, 0, mm);
	name = build_array(&ours, u8, 16);
	counter = build_struct(&ours, "", 8, { "count", s64, 0 });
	counters = build_array(&ours, counter, 4);
	our_task = build_struct(&ours, task_name, 64, { "pid", i32, 0 }, { "state", u32, 32 },
				{ "mm", pointer, 64 }, { "name", name, 128 }, { "rss", counters, 256 });
	our_enum = build_enum(&ours, "kind", 0, { "A", 0 }, { "B___new", 7 });
	path_at = build_string(&ours, path);
	build_open(&ours);
}

static uint32_t k_i32, k_u64, k_u32, k_u8, k_mm;

static void begin_kernel(void)
{
	build_begin(&kernel);
	k_i32 = build_int(&kernel, "int", 4, 1);
	k_u32 = build_int(&kernel, "unsigned", 4, 0);
	k_u64 = build_int(&kernel, "unsigned long", 8, 0);
	k_u8 = build_int(&kernel, "unsigned char", 1, 0);
	k_mm = build_type(&kernel, "", BTF_PTR, 0, 0);
}

struct result {
	int error;
	struct core_value assumed, actual;
	struct failure failure;
};

static struct result resolve_type(uint32_t type, uint32_t kind)
{
	static struct core core;
	struct core_relocation r = { .type = type, .path_at = path_at, .kind = kind };
	struct result result = { 0 };

	build_open(&kernel);
	core_open(&core, &ours.btf, &kernel.btf);
	result.error = core_add_root(&core, type, &result.failure);
	if (!result.error)
		result.error = core_find_candidates(&core, &result.failure);
	if (!result.error)
		result.error = core_resolve(&core, &r, &result.assumed, &result.actual, &result.failure);
	build_close(&kernel);
	build_close(&ours);
	return result;
}

static struct result resolve(uint32_t kind)
{
	return resolve_type(our_task, kind);
}

static void a_field_that_moved(void **state)
{
	struct result r;

	(void)state;
	build_ours("task", "0:0");
	begin_kernel();
	build_struct(&kernel, "task", 100, { "other", k_u64, 0 }, { "pid", k_i32, 8 * 72 });
	r = resolve(CORE_FIELD_OFFSET);
	assert_int_equal(r.error, 0);
	assert_int_equal(r.assumed.value, 0);
	assert_true(r.actual.found);
	assert_int_equal(r.actual.value, 72);
	assert_int_equal(r.actual.width, 4);
}

static void a_field_that_is_not_there(void **state)
{
	struct result r;

	(void)state;
	build_ours("task", "0:1");
	begin_kernel();
	build_struct(&kernel, "task", 100, { "pid", k_i32, 0 }, { "states", k_u32, 32 });
	r = resolve(CORE_FIELD_EXISTS);
	assert_int_equal(r.error, 0);
	assert_int_equal(r.assumed.value, 1);
	assert_false(r.actual.found);
	assert_int_equal(r.actual.value, 0);
}

static void flavors_and_anonymous_members(void **state)
{
	uint32_t inner, middle;
	struct result r;

	(void)state;
	build_ours("task___old", "0:1");
	begin_kernel();
	inner = build_struct(&kernel, "", 16, { "a", k_u64, 0 }, { "state", k_u32, 64 });
	middle = build_union(&kernel, "", 16, { "b", k_u64, 0 }, { "", inner, 0 });
	build_struct(&kernel, "task", 100, { "pid", k_i32, 0 }, { "", middle, 8 * 40 });
	build_struct(&kernel, "task_struct", 100, { "state", k_u32, 0 });
	r = resolve(CORE_FIELD_OFFSET);
	assert_int_equal(r.error, 0);
	assert_int_equal(r.actual.value, 48);
}

static void elements_of_arrays(void **state)
{
	static const struct {
		const char *path;
		uint32_t count, found, offset;
	} rows[] = {
		{ "0:4:1:0", 4, 1, 80 + 40 }, { "0:4:3:0", 4, 1, 80 + 120 }, { "0:4:3:0", 3, 0, 0 },
		{ "0:4:3:0", 0, 1, 80 + 120 },
	};

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(rows); i++) {
		uint32_t counter, array;
		struct result r;

		build_ours("task", rows[i].path);
		begin_kernel();
		counter = build_struct(&kernel, "percpu", 40, { "lock", k_u64, 0 }, { "count", k_u64, 0 });
		array = build_array(&kernel, counter, rows[i].count);
		build_struct(&kernel, "task", 300, { "rss", array, 8 * 80 });
		r = resolve(CORE_FIELD_OFFSET);
		assert_int_equal(r.error, 0);
		assert_int_equal(r.actual.found, rows[i].found);
		assert_int_equal(r.actual.value, rows[i].offset);
	}
}

/* The old layout, a struct where ours has an array, does not have our field: this is how RSS layouts are told apart. */
static void another_kind_is_another_field(void **state)
{
	uint32_t inner;
	struct result r;

	(void)state;
	build_ours("task", "0:4:0:0");
	begin_kernel();
	inner = build_struct(&kernel, "mm_rss_stat", 32, { "count", k_u64, 0 });
	build_struct(&kernel, "task", 300, { "rss", inner, 0 });
	r = resolve(CORE_FIELD_EXISTS);
	assert_int_equal(r.error, 0);
	assert_false(r.actual.found);

	build_ours("task", "0:2");	/* a pointer of ours, an integer of theirs */
	begin_kernel();
	build_struct(&kernel, "task", 300, { "mm", k_u64, 0 });
	r = resolve(CORE_FIELD_OFFSET);
	assert_int_equal(r.error, 0);
	assert_false(r.actual.found);
}

static void bit_fields_are_refused(void **state)
{
	struct build_part part = { "pid", 0, 3u << 24 | 5 };
	struct result r;

	(void)state;
	build_ours("task", "0:0");
	begin_kernel();
	part.type = k_i32;
	build_parts(&kernel, "task", BTF_STRUCT, 1, 8, &part, 1);
	r = resolve(CORE_FIELD_OFFSET);
	assert_true(r.error < 0);
	check_failure(&r.failure, "bit-field");
}

static void several_of_one_name(void **state)
{
	(void)state;
	for (unsigned differ = 0; differ < 2; differ++) {
		struct result r;

		build_ours("task", "0:0");
		begin_kernel();
		build_struct(&kernel, "task", 8, { "pid", k_i32, 32 });
		build_struct(&kernel, "task", 16, { "pid", k_i32, differ ? 64 : 32 });
		build_struct(&kernel, "task", 16, { "not_pid", k_i32, 0 });
		r = resolve(CORE_FIELD_OFFSET);
		assert_int_equal(r.error < 0, differ);
		if (differ)
			check_failure(&r.failure, "disagree");
		else
			assert_int_equal(r.actual.value, 4);
	}
}

static void types_and_enumerators(void **state)
{
	struct result r;

	(void)state;
	build_ours("task", "0");
	begin_kernel();
	build_struct(&kernel, "task", 123, { "x", k_i32, 0 });
	r = resolve(CORE_TYPE_SIZE);
	assert_int_equal(r.actual.value, 123);
	build_ours("task", "0");
	begin_kernel();
	build_struct(&kernel, "tasks", 123, { "x", k_i32, 0 });
	r = resolve(CORE_TYPE_EXISTS);
	assert_int_equal(r.error, 0);
	assert_false(r.actual.found);

	build_ours("task", "1");
	begin_kernel();
	build_enum(&kernel, "kind", 0, { "A", 3 }, { "B", 9 });
	r = resolve_type(our_enum, CORE_ENUMERATOR_VALUE);
	assert_int_equal(r.error, 0);
	assert_int_equal(r.assumed.value, 7);
	assert_int_equal(r.actual.value, 9);
}

static void malformed_paths(void **state)
{
	static const char *const paths[] = {
		"", "0:", ":", "x", "0:9", "0:99999", "1:0", "0:0:0", "0:3:16", "0:3:x", "-1", "0::1",
		"99999999999999999999", "0:4:0:0:0", "0 :1", "0:4:4294967296:0",
	};

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(paths); i++) {
		struct result r;

		build_ours("task", "unused");
		path_at = 0;
		build_close(&ours);
		build_ours("task", paths[i]);
		begin_kernel();
		build_struct(&kernel, "task", 8, { "pid", k_i32, 0 });
		r = resolve(CORE_FIELD_OFFSET);
		/* "0:" is "0" with nothing behind it: the root itself */
		if (string_equal(paths[i], "0:"))
			continue;
		assert_true(r.error < 0);
		check_failure(&r.failure, "task");
	}
	for (uint32_t kind = 0; kind < 16; kind++) {
		struct result r;

		if (kind <= CORE_FIELD_EXISTS || (kind >= CORE_TYPE_EXISTS && kind <= CORE_ENUMERATOR_VALUE))
			continue;
		build_ours("task", "0:0");
		begin_kernel();
		build_struct(&kernel, "task", 8, { "pid", k_i32, 0 });
		r = resolve(kind);
		assert_true(r.error < 0);
	}
}

/* ---- instructions */

enum { LDXW = 0x61, LDXDW = 0x79, LDXB = 0x71, STXW = 0x63, ADD64K = 0x07, ADD64X = 0x0f, MOV32K = 0xb4, LDDW = 0x18 };

static const struct core_value gone = { 0 };

static int patch(struct instruction *code, uint64_t assumed, uint64_t actual, uint32_t assumed_width,
		 uint32_t actual_width, int is_unsigned)
{
	struct core_value from = { 1, assumed, assumed_width, is_unsigned }, to = { 1, actual, actual_width, is_unsigned };

	return core_patch(code, 1, 0, &from, &to, CORE_FIELD_OFFSET);
}

static void loads_and_stores(void **state)
{
	static const struct {
		uint8_t code;
		uint64_t assumed, actual;
		uint32_t assumed_width, actual_width;
		int is_unsigned, error;
		uint8_t becomes;
	} rows[] = {
		{ LDXW, 8, 72, 4, 4, 0, 0, LDXW },	{ STXW, 8, 72, 4, 4, 0, 0, STXW },
		{ LDXW, 8, 72, 4, 1, 1, 0, LDXB },	{ LDXW, 8, 72, 4, 8, 1, 0, LDXDW },
		{ LDXW, 8, 72, 4, 8, 0, 1, 0 },		/* signed */
		{ STXW, 8, 72, 4, 8, 1, 1, 0 },		/* a store */
		{ LDXB, 8, 72, 4, 8, 1, 1, 0 },		/* a part of the field */
		{ LDXW, 8, 72, 4, 3, 1, 1, 0 },		/* no such width */
		{ LDXW, 9, 72, 4, 4, 0, 1, 0 },		/* not what the compiler assumed */
		{ LDXW, 8, 32768, 4, 4, 0, 1, 0 },	/* does not fit */
		{ LDXW, 8, 32767, 4, 4, 0, 0, LDXW },
	};

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(rows); i++) {
		struct instruction at = { .code = rows[i].code, .offset = 8 };
		int error = patch(&at, rows[i].assumed, rows[i].actual, rows[i].assumed_width,
				  rows[i].actual_width, rows[i].is_unsigned);

		assert_int_equal(error < 0, rows[i].error);
		if (error)
			continue;
		assert_int_equal(at.code, rows[i].becomes);
		assert_int_equal(at.offset, rows[i].actual);
	}
}

static void immediates(void **state)
{
	struct core_value from = { .found = 1, .value = 8 }, to = { .found = 1, .value = 1ull << 32 | 5 };
	struct instruction at[2] = { { .code = ADD64K, .immediate = 8 } };

	(void)state;
	assert_int_equal(patch(at, 8, 72, 0, 0, 0), 0);
	assert_int_equal(at->immediate, 72);
	assert_true(patch(at, 8, 72, 0, 0, 0) < 0);
	at->code = MOV32K;
	assert_int_equal(patch(at, 72, 1, 0, 0, 0), 0);
	at->code = ADD64X;
	assert_true(patch(at, 1, 1, 0, 0, 0) < 0);
	at->code = 0x95;	/* exit */
	assert_true(patch(at, 1, 1, 0, 0, 0) < 0);
	at[0] = (struct instruction){ .code = LDDW, .immediate = 8 };
	assert_int_equal(core_patch(at, 2, 0, &from, &to, CORE_ENUMERATOR_VALUE), 0);
	assert_int_equal(at[0].immediate, 5);
	assert_int_equal(at[1].immediate, 1);
	at[0] = (struct instruction){ .code = LDDW, .immediate = 8 };
	assert_true(core_patch(at, 1, 0, &from, &to, CORE_ENUMERATOR_VALUE) < 0);	/* its half is missing */
	assert_true(core_patch(at, 2, 2, &from, &to, CORE_ENUMERATOR_VALUE) < 0);
	assert_true(core_patch(at, 2, UINT32_MAX, &from, &to, CORE_ENUMERATOR_VALUE) < 0);
}

static void what_is_not_there_is_poisoned(void **state)
{
	struct core_value from = { .found = 1, .value = 1 };
	struct instruction at[2] = { { .code = LDXW, .offset = 1 } };

	(void)state;
	assert_int_equal(core_patch(at, 1, 0, &from, &gone, CORE_FIELD_OFFSET), 0);
	assert_int_equal(at[0].code, 0x85);	/* a call ... */
	assert_true(at[0].immediate > 100000);	/* ... of no helper there is */
	at[0] = (struct instruction){ .code = LDDW };
	assert_int_equal(core_patch(at, 2, 0, &from, &gone, CORE_FIELD_SIZE), 0);
	assert_int_equal(at[1].code, 0x85);
	at[0] = (struct instruction){ .code = MOV32K, .immediate = 1 };
	assert_int_equal(core_patch(at, 1, 0, &from, &gone, CORE_FIELD_EXISTS), 0);
	assert_int_equal(at[0].code, MOV32K);	/* a question has an answer */
	assert_int_equal(at[0].immediate, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_field_that_moved),
		cmocka_unit_test(a_field_that_is_not_there),
		cmocka_unit_test(flavors_and_anonymous_members),
		cmocka_unit_test(elements_of_arrays),
		cmocka_unit_test(another_kind_is_another_field),
		cmocka_unit_test(bit_fields_are_refused),
		cmocka_unit_test(several_of_one_name),
		cmocka_unit_test(types_and_enumerators),
		cmocka_unit_test(malformed_paths),
		cmocka_unit_test(loads_and_stores),
		cmocka_unit_test(immediates),
		cmocka_unit_test(what_is_not_there_is_poisoned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
