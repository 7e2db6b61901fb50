/* SPDX-License-Identifier: MIT */
/* The decisions of loader/core.c: "ours" and "kernel" are BTF built by hand, one relocation is resolved at a time. */
#include "test/unit/btf_build.h"

#include "loader/core.h"
#include "loader/sys.h"

static struct btf_build ours, kernel;
static struct core core;
static struct failure failure;
static uint32_t our_u8, our_u32, our_u64, our_s32, u8, u16, u32, u64, s32, s64;

static void begin(void)
{
	build_begin(&ours);
	our_u8 = build_int(&ours, "unsigned char", 1, 0);
	our_u32 = build_int(&ours, "unsigned int", 4, 0);
	our_u64 = build_int(&ours, "unsigned long", 8, 0);
	our_s32 = build_int(&ours, "int", 4, 1);
	build_begin(&kernel);
	u8 = build_int(&kernel, "unsigned char", 1, 0);
	u16 = build_int(&kernel, "unsigned short", 2, 0);
	u32 = build_int(&kernel, "unsigned int", 4, 0);
	u64 = build_int(&kernel, "unsigned long", 8, 0);
	s32 = build_int(&kernel, "int", 4, 1);
	s64 = build_int(&kernel, "long", 8, 1);
}

static struct core_value assumed, actual;

/* One relocation against what begin() and the test have built. */
static int resolve(uint32_t type, const char *path, uint32_t kind)
{
	struct core_relocation r = { .type = type, .path_at = build_string(&ours, path), .kind = kind };
	int error;

	build_open(&ours);
	build_open(&kernel);
	failure = (struct failure){ 0 };
	core_open(&core, &ours.btf, &kernel.btf);
	error = core_add_root(&core, type, &failure);
	if (!error)
		error = core_find_candidates(&core, &failure);
	if (!error)
		error = core_resolve(&core, &r, &assumed, &actual, &failure);
	if (error)
		check_failure(&failure, "relocate ");
	assert_int_equal(error, failure.error);
	build_close(&ours);
	build_close(&kernel);
	return error;
}

static void check_actual(uint64_t value, uint32_t width, int is_unsigned)
{
	assert_true(actual.found);
	assert_true(actual.value == value);
	assert_int_equal(actual.width, width);
	assert_int_equal(actual.is_unsigned, is_unsigned);
}

static void field_moved(void **state)
{
	uint32_t id;

	(void)state;
	begin();
	id = build_struct(&ours, "s", 16, { "a", our_u32, 0 }, { "b", our_u64, 64 });
	build_struct(&kernel, "s", 48, { "b", u64, 320 }, { "x", u64, 0 }, { "a", u32, 64 });
	assert_int_equal(resolve(id, "0:1", CORE_FIELD_OFFSET), 0);
	assert_true(assumed.found && assumed.value == 8 && assumed.width == 8 && assumed.is_unsigned);
	check_actual(40, 8, 1);
	assert_int_equal(resolve(id, "0:0", CORE_FIELD_OFFSET), 0);
	assert_true(assumed.value == 0 && assumed.width == 4);
	check_actual(8, 4, 1);
	assert_int_equal(resolve(id, "0:1", CORE_FIELD_SIZE), 0);
	assert_true(actual.found && actual.value == 8);
	assert_int_equal(resolve(id, "0:1", CORE_FIELD_EXISTS), 0);
	assert_true(actual.found && actual.value == 1 && assumed.value == 1);
	/* the root itself */
	assert_int_equal(resolve(id, "0", CORE_FIELD_OFFSET), 0);
	check_actual(0, 48, 0);
	assert_int_equal(resolve(id, "0", CORE_FIELD_SIZE), 0);
	assert_true(assumed.value == 16 && actual.value == 48);
}

static void field_missing(void **state)
{
	uint32_t id;

	(void)state;
	begin();
	id = build_struct(&ours, "s", 8, { "a", our_u32, 0 }, { "gone", our_u32, 32 });
	build_struct(&kernel, "s", 8, { "a", u32, 0 }, { "gon", u32, 32 }, { "gone_", u32, 32 });
	assert_int_equal(resolve(id, "0:1", CORE_FIELD_EXISTS), 0);
	assert_true(!actual.found && actual.value == 0 && assumed.value == 1);
	assert_int_equal(resolve(id, "0:1", CORE_FIELD_OFFSET), 0);
	assert_true(!actual.found && assumed.value == 4);

	begin();	/* the whole type is missing, or is of another kind */
	id = build_struct(&ours, "s", 4, { "a", our_u32, 0 });
	build_struct(&kernel, "ss", 4, { "a", u32, 0 });
	build_union(&kernel, "s", 4, { "a", u32, 0 });
	build_type(&kernel, "s", BTF_FWD, 0, 0);
	build_type(&kernel, "s", BTF_TYPEDEF, 0, u32);
	build_type(&kernel, "s", BTF_VAR, 0, u32);
	build_word(&kernel, 0);
	assert_int_equal(resolve(id, "0:0", CORE_FIELD_OFFSET), 0);
	assert_false(actual.found);
	assert_int_equal(resolve(id, "0:0", CORE_FIELD_EXISTS), 0);
	assert_true(!actual.found && !actual.value);
}

static void flavors(void **state)
{
	static const struct {
		const char *ours, *kernel;
		int found;
	} rows[] = {
		{ "s", "s", 1 },		{ "s___old", "s", 1 },
		{ "s___old___older", "s", 1 },	{ "s____x", "s", 1 },
		{ "s_", "s_", 1 },		{ "s__x", "s__x", 1 },
		{ "s__x", "s", 0 },		{ "s", "s___old", 0 },
		{ "s___old", "s___old", 0 },	{ "s___old", "so", 0 },
		{ "___s", "___s", 1 },		{ "___s", "t", 0 },
		{ "s___", "s", 1 },		{ "longer___x", "long", 0 },
		{ "long___x", "longer", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint32_t id;

		begin();
		id = build_struct(&ours, rows[i].ours, 4, { "a", our_u32, 0 });
		build_struct(&kernel, rows[i].kernel, 8, { "a", u32, 32 });
		assert_int_equal(resolve(id, "0:0", CORE_FIELD_OFFSET), 0);
		if (actual.found != rows[i].found)
			print_error("%s for %s\n", rows[i].ours, rows[i].kernel);
		assert_int_equal(actual.found, rows[i].found);
	}
}

static void nothing_without_a_name(void **state)
{
	uint32_t id;

	(void)state;
	begin();
	build_struct(&kernel, "", 8, { "a", u32, 32 });
	id = build_struct(&ours, "", 4, { "a", our_u32, 0 });
	assert_int_equal(resolve(id, "0:0", CORE_FIELD_OFFSET), 0);
	assert_false(actual.found);
}

/* The kernel moved a field into nested anonymous members, and ours has it in one that the kernel lacks. */
static void anonymous_members(void **state)
{
	uint32_t id, inner;

	(void)state;
	begin();
	inner = build_union(&ours, "", 4, { "other", our_u32, 0 }, { "a", our_u32, 0 });
	id = build_struct(&ours, "s", 8, { "", inner, 32 });
	inner = build_struct(&kernel, "", 16, { "pad", u64, 0 }, { "a", u32, 64 });
	inner = build_union(&kernel, "", 16, { "x", u8, 0 }, { "", inner, 0 });
	inner = build_type(&kernel, "", BTF_CONST, 0, inner);
	inner = build_struct(&kernel, "", 32, { "y", u64, 0 }, { "", inner, 64 });
	build_struct(&kernel, "s", 64, { "z", u64, 0 }, { "", s32, 128 }, { "", inner, 192 });
	assert_int_equal(resolve(id, "0:0:1", CORE_FIELD_OFFSET), 0);
	assert_int_equal(assumed.value, 4);
	check_actual((192 + 64 + 64) / 8, 4, 1);

	begin();	/* from a named member back out of anonymous ones */
	inner = build_struct(&ours, "in", 8, { "v", our_u32, 32 });
	id = build_struct(&ours, "s", 8, { "m", inner, 0 });
	inner = build_struct(&kernel, "", 4, { "v", u32, 0 });
	inner = build_struct(&kernel, "out", 8, { "", inner, 32 });
	build_struct(&kernel, "s", 16, { "m", inner, 64 });
	assert_int_equal(resolve(id, "0:0:0", CORE_FIELD_OFFSET), 0);
	check_actual(12, 4, 1);
}

/* A member's name below another member's is no match; circles of anonymous members end. */
static void member_loops(void **state)
{
	uint32_t id, at;

	(void)state;
	begin();
	id = build_struct(&ours, "s", 4, { "a", our_u32, 0 });
	at = kernel.types + 1;
	build_struct(&kernel, "s", 8, { "", at, 0 }, { "", at, 0 }, { "named", at, 0 });
	assert_int_equal(resolve(id, "0:0", CORE_FIELD_OFFSET), 0);
	assert_false(actual.found);

	begin();	/* eight deep is found, nine is not */
	id = build_struct(&ours, "s", 4, { "a", our_u32, 0 });
	at = u32;
	for (unsigned depth = 0; depth < 8; depth++)
		at = build_struct(&kernel, depth == 7 ? "s" : "", 4, { depth ? "" : "a", at, 8 });
	assert_int_equal(resolve(id, "0:0", CORE_FIELD_OFFSET), 0);
	check_actual(8, 4, 1);
	begin();
	id = build_struct(&ours, "s", 4, { "a", our_u32, 0 });
	at = u32;
	for (unsigned depth = 0; depth < 9; depth++)
		at = build_struct(&kernel, depth == 8 ? "s" : "", 4, { depth ? "" : "a", at, 8 });
	assert_int_equal(resolve(id, "0:0", CORE_FIELD_OFFSET), 0);
	assert_false(actual.found);

	begin();	/* typedefs in circles, arrays of themselves */
	id = build_array(&ours, our_u32, 2);
	id = build_struct(&ours, "s", 16, { "a", id, 0 }, { "b", our_u32, 64 });
	at = kernel.types + 1;
	build_type(&kernel, "t", BTF_TYPEDEF, 0, at);
	build_array(&kernel, at + 1, 4);
	build_struct(&kernel, "s", 16, { "a", at + 1, 0 }, { "b", at, 64 });
	assert_int_equal(resolve(id, "0:0:1", CORE_FIELD_OFFSET), 0);
	assert_false(actual.found);
	assert_int_equal(resolve(id, "0:0", CORE_FIELD_OFFSET), 0);
	assert_false(actual.found);
	assert_int_equal(resolve(id, "0:1", CORE_FIELD_OFFSET), 0);
	assert_false(actual.found);
}

static void arrays(void **state)
{
	uint32_t id, element, at;

	(void)state;
	/* elements change their size, so the offset of the third does */
	begin();
	element = build_struct(&ours, "e", 8, { "count", our_u64, 0 });
	at = build_array(&ours, element, 4);
	id = build_struct(&ours, "s", 32, { "v", at, 0 });
	element = build_struct(&kernel, "e", 40, { "lock", u32, 0 }, { "count", s64, 64 });
	at = build_array(&kernel, element, 4);
	at = build_type(&kernel, "t", BTF_TYPEDEF, 0, at);
	build_struct(&kernel, "s", 200, { "x", u64, 0 }, { "v", at, 64 });
	assert_int_equal(resolve(id, "0:0:3:0", CORE_FIELD_OFFSET), 0);
	assert_int_equal(assumed.value, 24);
	check_actual(8 + 3 * 40 + 8, 8, 0);
	assert_int_equal(resolve(id, "0:0:4:0", CORE_FIELD_OFFSET), -SYS_EINVAL);
	assert_int_equal(resolve(id, "0:0:1", CORE_FIELD_SIZE), 0);
	assert_true(actual.value == 40 && assumed.value == 8);

	begin();	/* the kernel's is shorter; and an open-ended one */
	at = build_array(&ours, our_u32, 4);
	id = build_struct(&ours, "s", 32, { "short", at, 0 }, { "open", at, 128 });
	at = build_array(&kernel, u32, 3);
	element = build_array(&kernel, u32, 0);
	build_struct(&kernel, "s", 12, { "short", at, 0 }, { "open", element, 96 });
	assert_int_equal(resolve(id, "0:0:2", CORE_FIELD_OFFSET), 0);
	check_actual(8, 4, 1);
	assert_int_equal(resolve(id, "0:0:3", CORE_FIELD_OFFSET), 0);
	assert_false(actual.found);
	assert_int_equal(resolve(id, "0:1:3", CORE_FIELD_OFFSET), 0);
	check_actual(12 + 3 * 4, 4, 1);

	begin();	/* an element of what is no array, in either */
	at = build_array(&ours, our_u32, 4);
	id = build_struct(&ours, "s", 32, { "a", at, 0 }, { "b", our_u32, 128 });
	build_struct(&kernel, "s", 12, { "a", u32, 0 }, { "b", u32, 32 });
	assert_int_equal(resolve(id, "0:0:0", CORE_FIELD_OFFSET), 0);
	assert_false(actual.found);
	assert_int_equal(resolve(id, "0:1:0", CORE_FIELD_OFFSET), -SYS_EINVAL);

	begin();	/* elements larger than any the probe reads */
	at = build_array(&ours, our_u32, 4);
	id = build_struct(&ours, "s", 32, { "a", at, 0 });
	element = build_struct(&kernel, "e", UINT16_MAX + 1, { "x", u32, 0 });
	at = build_array(&kernel, element, 4);
	build_struct(&kernel, "s", UINT32_MAX, { "a", at, 0 });
	assert_int_equal(resolve(id, "0:0:1", CORE_FIELD_OFFSET), 0);
	assert_false(actual.found);
}

/* Is a field of our type found where the kernel has another? */
static void kinds(void **state)
{
	enum { INT, SIGNED, ENUM, PTR, STRUCT, UNION, ARRAY, ARRAY2, FLOAT, FWD, KINDS };
	static const char *const names[] = { "int", "signed", "enum", "pointer", "struct",
					     "union", "array", "array of arrays", "float", "forward" };
	uint32_t mine[KINDS], theirs[KINDS], id;

	(void)state;
	for (unsigned a = 0; a < FWD; a++) {
		for (unsigned b = 0; b < KINDS; b++) {
			int numbers = a <= ENUM && b <= ENUM;
			int composites = (a == STRUCT || a == UNION) && (b == STRUCT || b == UNION);
			int want = numbers || composites || a == b;

			begin();
			for (unsigned side = 0; side < 2; side++) {
				struct btf_build *build = side ? &kernel : &ours;
				uint32_t *to = side ? theirs : mine;

				to[INT] = build_int(build, "i", 4, 0);
				to[SIGNED] = build_int(build, "j", 8, 1);
				to[ENUM] = build_enum(build, "e", 0, { "A", 1 });
				to[PTR] = build_type(build, "", BTF_PTR, 0, 1);
				to[STRUCT] = build_struct(build, "x", 4, { "y", 1, 0 });
				to[UNION] = build_union(build, "x", 4, { "y", 1, 0 });
				to[ARRAY] = build_array(build, to[INT], 4);
				to[ARRAY2] = build_array(build, to[ARRAY], 4);
				to[FLOAT] = build_type(build, "f", BTF_FLOAT, 0, 8);
				to[FWD] = build_type(build, "w", BTF_FWD, 0, 0);
			}
			id = build_struct(&ours, "s", 64, { "f", mine[a], 0 });
			build_struct(&kernel, "s", 64, { "f", theirs[b], 64 });
			assert_int_equal(resolve(id, "0:0", CORE_FIELD_EXISTS), 0);
			if (actual.found != want)
				print_error("ours %s, theirs %s\n", names[a], names[b]);
			assert_int_equal(actual.found, want);
		}
	}
}

static void bit_fields(void **state)
{
	uint32_t id;

	(void)state;
	begin();
	id = build_struct(&ours, "s", 4, { "a", our_u32, 0 }, { "b", our_u32, 32 });
	build_parts(&kernel, "s", BTF_STRUCT, 1, 8,
		    (const struct build_part[]){ { "a", u32, 1u << 24 | 8 }, { "b", u32, 32 } }, 2);
	assert_int_equal(resolve(id, "0:0", CORE_FIELD_OFFSET), -SYS_EOPNOTSUPP);
	check_failure(&failure, "relocate s: EOPNOTSUPP: this kernel has a bit-field there");
	assert_int_equal(resolve(id, "0:1", CORE_FIELD_OFFSET), 0);
	check_actual(4, 4, 1);

	begin();	/* in an anonymous member */
	id = build_struct(&ours, "s", 4, { "a", our_u32, 0 });
	build_parts(&kernel, "", BTF_STRUCT, 1, 8, (const struct build_part[]){ { "a", u32, 1u << 24 } }, 1);
	build_struct(&kernel, "s", 8, { "", kernel.types, 32 });
	assert_int_equal(resolve(id, "0:0", CORE_FIELD_OFFSET), -SYS_EOPNOTSUPP);

	begin();	/* in ours, and an offset that is no whole byte without the kind flag */
	id = build_parts(&ours, "s", BTF_STRUCT, 1, 8, (const struct build_part[]){ { "a", our_u32, 1u << 24 } },
			 1);
	build_struct(&kernel, "s", 4, { "a", u32, 0 });
	assert_int_equal(resolve(id, "0:0", CORE_FIELD_OFFSET), -SYS_EINVAL);
	begin();
	id = build_struct(&ours, "s", 4, { "a", our_u32, 0 });
	build_struct(&kernel, "s", 4, { "a", u32, 3 });
	assert_int_equal(resolve(id, "0:0", CORE_FIELD_OFFSET), 0);
	assert_false(actual.found);
}

static void several_candidates(void **state)
{
	uint32_t id;

	(void)state;
	begin();	/* they agree, and one has no such field */
	id = build_struct(&ours, "s", 4, { "a", our_u32, 0 });
	build_struct(&kernel, "s", 8, { "a", u32, 32 });
	build_struct(&kernel, "s", 8, { "x", u32, 32 });
	build_struct(&kernel, "s", 16, { "a", u32, 32 }, { "b", u64, 64 });
	assert_int_equal(resolve(id, "0:0", CORE_FIELD_OFFSET), 0);
	check_actual(4, 4, 1);
	assert_int_equal(core.root[0].candidates, 3);

	begin();	/* they disagree: in place */
	id = build_struct(&ours, "s", 4, { "a", our_u32, 0 });
	build_struct(&kernel, "s", 8, { "a", u32, 32 });
	build_struct(&kernel, "s", 8, { "a", u32, 0 });
	assert_int_equal(resolve(id, "0:0", CORE_FIELD_OFFSET), -SYS_EINVAL);
	check_failure(&failure, "relocate s: EINVAL: the kernel has several types of this name, which disagree");
	assert_int_equal(resolve(id, "0:0", CORE_FIELD_EXISTS), 0);	/* but not in existence */
	assert_true(actual.found && actual.value == 1);

	begin();	/* in width only */
	id = build_struct(&ours, "s", 4, { "a", our_u32, 0 });
	build_struct(&kernel, "s", 8, { "a", u32, 32 });
	build_struct(&kernel, "s", 8, { "a", u16, 32 });
	assert_int_equal(resolve(id, "0:0", CORE_FIELD_OFFSET), -SYS_EINVAL);
	assert_int_equal(resolve(id, "0:0", CORE_FIELD_SIZE), -SYS_EINVAL);
	assert_int_equal(resolve(id, "0:0", CORE_FIELD_EXISTS), 0);
	assert_true(actual.found && actual.value == 1);

	begin();	/* too many */
	id = build_struct(&ours, "s", 4, { "a", our_u32, 0 });
	for (unsigned i = 0; i < CORE_CANDIDATES_MAX; i++)
		build_struct(&kernel, "s", 8, { "a", u32, 32 });
	assert_int_equal(resolve(id, "0:0", CORE_FIELD_OFFSET), 0);
	build_struct(&kernel, "s", 8, { "a", u32, 32 });
	assert_int_equal(resolve(id, "0:0", CORE_FIELD_OFFSET), -SYS_EINVAL);
	check_failure(&failure, "too many types of this name");
}

static void too_many_roots(void **state)
{
	(void)state;
	begin();
	for (unsigned i = 0; i <= CORE_ROOTS_MAX; i++)
		build_struct(&ours, "s", 4, { "a", our_u32, 0 });
	build_open(&ours);
	build_open(&kernel);
	core_open(&core, &ours.btf, &kernel.btf);
	failure = (struct failure){ 0 };
	for (unsigned i = 0; i < CORE_ROOTS_MAX; i++) {
		assert_int_equal(core_add_root(&core, our_s32 + 1 + i, &failure), 0);
		assert_int_equal(core_add_root(&core, our_s32 + 1 + i, &failure), 0);	/* known */
	}
	assert_int_equal(core_add_root(&core, our_s32 + 1 + CORE_ROOTS_MAX, &failure), -SYS_E2BIG);
	check_failure(&failure, "relocate s: E2BIG");
	build_close(&ours);
	build_close(&kernel);
}

static void types(void **state)
{
	uint32_t id;

	(void)state;
	begin();
	id = build_struct(&ours, "s___v2", 4, { "a", our_u32, 0 });
	assert_int_equal(resolve(id, "0", CORE_TYPE_EXISTS), 0);
	assert_true(!actual.found && assumed.value == 1);
	build_struct(&kernel, "s", 24, { "b", u32, 0 });
	assert_int_equal(resolve(id, "0", CORE_TYPE_EXISTS), 0);
	assert_true(actual.found && actual.value == 1);
	assert_int_equal(resolve(id, "0", CORE_TYPE_SIZE), 0);
	assert_true(actual.found && actual.value == 24 && assumed.value == 4);
	build_struct(&kernel, "s", 32, { "b", u32, 0 });
	assert_int_equal(resolve(id, "0", CORE_TYPE_EXISTS), 0);
	assert_true(actual.found && actual.value == 1);
	assert_int_equal(resolve(id, "0", CORE_TYPE_SIZE), -SYS_EINVAL);
	/* kinds of relocation that the probe does not use */
	for (uint32_t kind = 0; kind < 16; kind++)
		if ((kind >= 3 && kind <= 7) || kind >= 12)
			assert_int_equal(resolve(id, "0:0", kind), -SYS_EOPNOTSUPP);
	assert_int_equal(resolve(id, "0:0", UINT32_MAX), -SYS_EOPNOTSUPP);
	/* types that do not exist */
	assert_int_equal(resolve(0, "0", CORE_FIELD_OFFSET), -SYS_EINVAL);
	assert_int_equal(resolve(UINT32_MAX, "0:0", CORE_FIELD_OFFSET), -SYS_EINVAL);
	assert_int_equal(resolve(UINT32_MAX, "0", CORE_TYPE_EXISTS), 0);
	assert_false(actual.found);
}

static void enumerators(void **state)
{
	uint32_t id;

	(void)state;
	begin();
	id = build_enum(&ours, "e___x", 0, { "A", 1 }, { "B___old", 2 }, { "C", 3 }, { "A___late", 7 });
	build_enum(&kernel, "e", 0, { "B", 20 }, { "A", 10 }, { "A___late", 70 });
	assert_int_equal(resolve(id, "0", CORE_ENUMERATOR_VALUE), 0);
	assert_true(assumed.value == 1 && actual.found && actual.value == 10);
	assert_int_equal(resolve(id, "1", CORE_ENUMERATOR_VALUE), 0);
	assert_true(assumed.value == 2 && actual.found && actual.value == 20);
	assert_int_equal(resolve(id, "2", CORE_ENUMERATOR_VALUE), 0);
	assert_true(assumed.value == 3 && !actual.found);
	assert_int_equal(resolve(id, "2", CORE_ENUMERATOR_EXISTS), 0);
	assert_true(assumed.value == 1 && !actual.found && actual.value == 0);
	assert_int_equal(resolve(id, "0", CORE_ENUMERATOR_EXISTS), 0);
	assert_true(actual.found && actual.value == 1);
	/* what the compiler assumed is the enumerator of that number, not the first of its name */
	assert_int_equal(resolve(id, "3", CORE_ENUMERATOR_VALUE), 0);
	assert_true(assumed.value == 7);
	assert_int_equal(resolve(id, "4", CORE_ENUMERATOR_VALUE), -SYS_EINVAL);
	assert_int_equal(resolve(id, "", CORE_ENUMERATOR_VALUE), -SYS_EINVAL);
	assert_int_equal(resolve(id, "0:", CORE_ENUMERATOR_VALUE), -SYS_EINVAL);
	assert_int_equal(resolve(id, "0:1", CORE_ENUMERATOR_VALUE), -SYS_EINVAL);
	assert_int_equal(resolve(our_u32, "0", CORE_ENUMERATOR_VALUE), -SYS_EINVAL);

	begin();	/* 64 bits in the kernel; a sign */
	id = build_enum(&ours, "e", 1, { "A", UINT32_MAX }, { "B", 5 });
	build_parts(&kernel, "e", BTF_ENUM64, 1, 8,
		    (const struct build_part[]){ { "A", UINT32_MAX, UINT32_MAX }, { "B", 1, 2 } }, 2);
	assert_int_equal(resolve(id, "0", CORE_ENUMERATOR_VALUE), 0);
	assert_true(assumed.value == UINT64_MAX && actual.value == UINT64_MAX);
	assert_int_equal(resolve(id, "1", CORE_ENUMERATOR_VALUE), 0);
	assert_true(assumed.value == 5 && actual.value == 0x200000001);
}

static void bad_paths(void **state)
{
	static const struct {
		const char *path;
		int error;
	} rows[] = {
		{ "0", 0 },	    { "0:0", 0 },	    { "0:0:3", 0 },
		{ "0:00", 0 },	    { "", -SYS_EINVAL },    { ":", -SYS_EINVAL },
		{ "0:", -SYS_EINVAL }, { "0:0:", -SYS_EINVAL }, { "0::0", -SYS_EINVAL },
		{ ":0", -SYS_EINVAL }, { "0:99", -SYS_EINVAL }, { "1:0", -SYS_EINVAL },
		{ "1", -SYS_EINVAL }, { "x", -SYS_EINVAL },   { "0:x", -SYS_EINVAL },
		{ "0x0", -SYS_EINVAL }, { "0 :0", -SYS_EINVAL }, { "-0:0", -SYS_EINVAL },
		{ "0:-1", -SYS_EINVAL }, { "0:+1", -SYS_EINVAL }, { "0:0:4", -SYS_EINVAL },
		{ "0:0:0:0", -SYS_EINVAL }, { "0:65535", -SYS_EINVAL }, { "0:65536", -SYS_EINVAL },
		{ "0:4294967296", -SYS_EINVAL }, { "0:18446744073709551616", -SYS_EINVAL },
		{ "4294967296:0", -SYS_EINVAL }, { "0:99999999999999999999999999999", -SYS_EINVAL },
	};
	struct core_relocation r = { .path_at = 1 << 20 };
	uint32_t id, at;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		begin();
		at = build_array(&ours, our_u32, 4);
		id = build_struct(&ours, "s", 16, { "a", at, 0 });
		at = build_array(&kernel, u32, 4);
		build_struct(&kernel, "s", 16, { "a", at, 0 });
		if (resolve(id, rows[i].path, CORE_FIELD_OFFSET) != rows[i].error)
			print_error("path \"%s\"\n", rows[i].path);
		assert_int_equal(failure.error, rows[i].error);
		if (rows[i].error)
			check_failure(&failure, "relocate s: EINVAL: the probe's own record of the access makes");
	}
	begin();	/* a path outside the strings; a root that was not added */
	id = build_struct(&ours, "s", 16, { "a", our_u32, 0 });
	build_string(&ours, "0:0");
	build_open(&ours);
	build_open(&kernel);
	core_open(&core, &ours.btf, &kernel.btf);
	failure = (struct failure){ 0 };
	r.type = id;
	assert_int_equal(core_add_root(&core, id, &failure), 0);
	assert_int_equal(core_resolve(&core, &r, &assumed, &actual, &failure), -SYS_EINVAL);
	r = (struct core_relocation){ .type = our_u32, .path_at = ours.strings - 4 };
	failure = (struct failure){ 0 };
	assert_int_equal(core_resolve(&core, &r, &assumed, &actual, &failure), -SYS_EINVAL);
	build_close(&ours);
	build_close(&kernel);
}

/* Sixteen steps are the most. */
static void deep_paths(void **state)
{
	char path[64];

	(void)state;
	for (unsigned depth = 15; depth <= 18; depth++) {
		uint32_t mine, theirs;

		begin();
		mine = our_u32;
		theirs = u32;
		strcpy(path, "0");
		for (unsigned i = 0; i < depth; i++) {
			mine = build_struct(&ours, "s", 4, { "m", mine, 0 });
			theirs = build_struct(&kernel, i + 1 == depth ? "s" : "t", 4, { "m", theirs, 32 });
			strcat(path, ":0");
		}
		assert_int_equal(resolve(mine, path, CORE_FIELD_OFFSET), depth <= 16 ? 0 : -SYS_EINVAL);
		if (depth <= 16)
			check_actual(4 * depth, 4, 1);
	}
}

/* ---- instructions */

enum {
	LDX_B = 0x71, LDX_H = 0x69, LDX_W = 0x61, LDX_DW = 0x79, LDXSX_W = 0x81,
	ST_W = 0x62, STX_W = 0x63, STX_DW = 0x7b,
	MOV_IMM = 0xb7, ADD_IMM = 0x07, MOV32_IMM = 0xb4, MOV_REG = 0xbf,
	CALL = 0x85, JA = 0x05, JEQ_IMM = 0x15, LD_IMM64 = 0x18, LD_ABS = 0x20,
};

static struct core_value a_value(uint64_t value, uint32_t width, int is_unsigned)
{
	return (struct core_value){ 1, value, width, is_unsigned };
}

/* Loads and stores: the offset, and the width of a load where that is sound. */
static void patch_accesses(void **state)
{
	static const struct {
		uint8_t code;
		int16_t offset;
		uint64_t from;
		uint32_t from_width;
		int is_unsigned;
		uint64_t to;
		uint32_t to_width;
		int error;
		uint8_t want;
	} rows[] = {
		{ LDX_W, 8, 8, 4, 1, 40, 4, 0, LDX_W },
		{ LDX_W, 8, 8, 4, 0, 40, 4, 0, LDX_W },
		{ LDX_DW, 0, 0, 8, 0, 0, 8, 0, LDX_DW },
		{ ST_W, 8, 8, 4, 1, 40, 4, 0, ST_W },
		{ STX_W, 8, 8, 4, 1, 40, 4, 0, STX_W },
		{ LDX_DW, 16, 16, 16, 0, 32, 16, 0, LDX_DW },	/* a part of the field */
		{ LDX_W, 8, 8, 4, 1, INT16_MAX, 4, 0, LDX_W },
		/* another width */
		{ LDX_W, 8, 8, 4, 1, 40, 1, 0, LDX_B },
		{ LDX_W, 8, 8, 4, 1, 40, 2, 0, LDX_H },
		{ LDX_W, 8, 8, 4, 1, 40, 8, 0, LDX_DW },
		{ LDX_DW, 8, 8, 8, 1, 40, 4, 0, LDX_W },
		{ LDX_B, 8, 8, 1, 1, 40, 4, 0, LDX_W },
		{ LDX_H, 8, 8, 2, 1, 40, 8, 0, LDX_DW },
		{ LDX_W, 8, 8, 4, 0, 40, 8, -SYS_EINVAL, 0 },	/* signed */
		{ LDX_W, 8, 8, 8, 1, 40, 4, -SYS_EINVAL, 0 },	/* not the whole field */
		{ LDX_DW, 8, 8, 16, 1, 40, 8, -SYS_EINVAL, 0 },
		{ LDX_W, 8, 8, 4, 1, 40, 3, -SYS_EINVAL, 0 },
		{ LDX_W, 8, 8, 4, 1, 40, 16, -SYS_EINVAL, 0 },
		{ LDX_W, 8, 8, 4, 1, 40, 0, -SYS_EINVAL, 0 },
		{ ST_W, 8, 8, 4, 1, 40, 8, -SYS_EINVAL, 0 },
		{ STX_W, 8, 8, 4, 1, 40, 8, -SYS_EINVAL, 0 },
		{ STX_DW, 8, 8, 8, 1, 40, 4, -SYS_EINVAL, 0 },
		/* not what the compiler would have recorded */
		{ LDX_W, 9, 8, 4, 1, 40, 4, -SYS_EINVAL, 0 },
		{ LDX_W, -8, 8, 4, 1, 40, 4, -SYS_EINVAL, 0 },
		{ LDX_W, -8, (uint64_t)-8, 4, 1, 40, 4, -SYS_EINVAL, 0 },
		{ LDX_W, 8, 8, 4, 1, INT16_MAX + 1, 4, -SYS_EINVAL, 0 },
		{ LDX_W, 8, 8, 4, 1, UINT64_MAX, 4, -SYS_EINVAL, 0 },
		{ LDX_W, 0, 1ull << 16, 4, 1, 40, 4, -SYS_EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct instruction *code = exactly(sizeof *code);
		struct core_value from = a_value(rows[i].from, rows[i].from_width, rows[i].is_unsigned);
		struct core_value to = a_value(rows[i].to, rows[i].to_width, rows[i].is_unsigned);
		int error;

		*code = (struct instruction){ rows[i].code, 0x21, rows[i].offset, 77 };
		error = core_patch(code, 1, 0, &from, &to, CORE_FIELD_OFFSET);
		if (error != rows[i].error)
			print_error("row %zu\n", i);
		assert_int_equal(error, rows[i].error);
		if (!error) {
			assert_int_equal(code->code, rows[i].want);
			assert_int_equal(code->offset, rows[i].to);
			assert_int_equal(code->registers, 0x21);
			assert_int_equal(code->immediate, 77);
		}
		free(code);
	}
}

static void patch_numbers(void **state)
{
	static const struct {
		uint8_t code;
		int32_t immediate;
		uint64_t from, to;
		int error;
	} rows[] = {
		{ MOV_IMM, 8, 8, 40, 0 },
		{ ADD_IMM, 8, 8, 40, 0 },
		{ MOV32_IMM, 8, 8, 40, 0 },
		{ MOV_IMM, 1, 1, 0, 0 },
		{ MOV_IMM, 8, 8, INT32_MAX, 0 },
		{ MOV_IMM, 8, 8, 1ull << 31, -SYS_EINVAL },
		{ MOV_IMM, 8, 8, 1ull << 32, -SYS_EINVAL },
		{ MOV_IMM, 9, 8, 40, -SYS_EINVAL },
		{ MOV_IMM, 8, 8 + (1ull << 32), 40, -SYS_EINVAL },
		{ MOV_IMM, -1, UINT64_MAX, 40, -SYS_EINVAL },
		{ MOV_REG, 8, 8, 40, -SYS_EINVAL },
		{ CALL, 8, 8, 40, -SYS_EINVAL },
		{ JA, 8, 8, 40, -SYS_EINVAL },
		{ JEQ_IMM, 8, 8, 40, -SYS_EINVAL },
		{ LD_ABS, 8, 8, 40, -SYS_EINVAL },
		{ 0, 8, 8, 40, -SYS_EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct instruction code = { rows[i].code, 0x01, 5, rows[i].immediate };
		struct core_value from = a_value(rows[i].from, 0, 0), to = a_value(rows[i].to, 0, 0);
		int error = core_patch(&code, 1, 0, &from, &to, CORE_TYPE_SIZE);

		if (error != rows[i].error)
			print_error("row %zu\n", i);
		assert_int_equal(error, rows[i].error);
		if (!error) {
			assert_int_equal(code.immediate, rows[i].to);
			assert_int_equal(code.code, rows[i].code);
			assert_int_equal(code.offset, 5);
		}
	}
}

static void patch_wide(void **state)
{
	const struct core_value from = a_value(0x1111111122222222, 0, 0), to = a_value(0x3333333344444444, 0, 0);
	struct instruction *code = exactly(2 * sizeof *code);

	(void)state;
	code[0] = (struct instruction){ LD_IMM64, 0x01, 0, 0x22222222 };
	code[1] = (struct instruction){ 0, 0, 0, 0x11111111 };
	assert_int_equal(core_patch(code, 2, 0, &from, &to, CORE_ENUMERATOR_VALUE), 0);
	assert_int_equal(code[0].immediate, 0x44444444);
	assert_int_equal(code[1].immediate, 0x33333333);
	assert_int_equal(code[0].registers, 0x01);
	assert_int_equal(code[1].code, 0);
	/* either half is not what was assumed */
	code[0].immediate = 0x22222223;
	code[1].immediate = 0x11111111;
	assert_int_equal(core_patch(code, 2, 0, &from, &to, CORE_ENUMERATOR_VALUE), -SYS_EINVAL);
	code[0].immediate = 0x22222222;
	code[1].immediate = 0x11111110;
	assert_int_equal(core_patch(code, 2, 0, &from, &to, CORE_ENUMERATOR_VALUE), -SYS_EINVAL);
	free(code);

	/* its second half would lie behind the end */
	code = exactly(sizeof *code);
	*code = (struct instruction){ .code = LD_IMM64, .immediate = 0x22222222 };
	assert_int_equal(core_patch(code, 1, 0, &from, &to, CORE_ENUMERATOR_VALUE), -SYS_EINVAL);
	assert_int_equal(core_patch(code, 1, 0, &from, &(struct core_value){ 0 }, CORE_ENUMERATOR_VALUE),
			 -SYS_EINVAL);
	free(code);
}

/* What is not there poisons; a question whether it is there is answered with 0. */
static void poison(void **state)
{
	const struct core_value from = a_value(8, 4, 1), asked = a_value(1, 0, 0), none = { 0 };
	struct instruction *code = exactly(4 * sizeof *code);
	static const uint32_t questions[] = { CORE_FIELD_EXISTS, CORE_TYPE_EXISTS, CORE_ENUMERATOR_EXISTS };
	static const uint32_t values[] = { CORE_FIELD_OFFSET, CORE_FIELD_SIZE, CORE_TYPE_SIZE,
					   CORE_ENUMERATOR_VALUE };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(values); i++) {
		for (uint32_t k = 0; k < 4; k++)
			code[k] = (struct instruction){ LDX_W, 0x21, 8, 3 };
		assert_int_equal(core_patch(code, 4, 2, &from, &none, values[i]), 0);
		assert_int_equal(code[2].code, CALL);
		assert_int_equal(code[2].registers, 0);	/* a helper, not a function of the kernel */
		assert_int_equal(code[2].offset, 0);
		assert_int_equal(code[2].immediate, 0xbad0000 + 2);
		assert_int_equal(code[1].code, LDX_W);
		assert_int_equal(code[3].code, LDX_W);
	}
	code[2].code = LD_IMM64;	/* both halves */
	assert_int_equal(core_patch(code, 4, 2, &from, &none, CORE_ENUMERATOR_VALUE), 0);
	assert_int_equal(code[2].code, CALL);
	assert_int_equal(code[3].code, CALL);
	for (size_t i = 0; i < COUNT_OF(questions); i++) {
		code[0] = (struct instruction){ MOV_IMM, 1, 0, 1 };
		assert_int_equal(core_patch(code, 4, 0, &asked, &none, questions[i]), 0);
		assert_int_equal(code[0].code, MOV_IMM);
		assert_int_equal(code[0].immediate, 0);
	}
	/* behind the end */
	assert_int_equal(core_patch(code, 4, 4, &from, &from, CORE_FIELD_OFFSET), -SYS_EINVAL);
	assert_int_equal(core_patch(code, 4, UINT32_MAX / 8, &from, &none, CORE_FIELD_OFFSET), -SYS_EINVAL);
	assert_int_equal(core_patch(code, 0, 0, &from, &from, CORE_FIELD_OFFSET), -SYS_EINVAL);
	free(code);
}

/* Which fields may be loaded with another width. */
static void signs(void **state)
{
	enum { FIELDS = 7 };
	static const int want[FIELDS] = { 1, 0, 1, 1, 0, 0, 1 };
	uint32_t id, e, f, p, s, t;
	char path[8];

	(void)state;
	for (unsigned i = 0; i < FIELDS; i++) {
		begin();
		e = build_enum(&ours, "e", 0, { "A", 1 });
		f = build_enum(&ours, "f", 1, { "A", 1 });
		p = build_type(&ours, "", BTF_PTR, 0, our_s32);
		s = build_struct(&ours, "x", 4, { "y", our_u32, 0 });
		t = build_type(&ours, "t", BTF_TYPEDEF, 0, our_u8);
		t = build_type(&ours, "", BTF_VOLATILE, 0, t);
		id = build_struct(&ours, "s", 64, { "a", our_u32, 0 }, { "b", our_s32, 0 }, { "c", e, 0 },
				  { "d", p, 0 }, { "e", f, 0 }, { "f", s, 0 }, { "g", t, 0 });
		snprintf(path, sizeof path, "0:%u", i);
		assert_int_equal(resolve(id, path, CORE_FIELD_OFFSET), 0);
		if (assumed.is_unsigned != want[i])
			print_error("field %u\n", i);
		assert_int_equal(assumed.is_unsigned, want[i]);
		assert_false(actual.found);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(field_moved),	   cmocka_unit_test(field_missing),
		cmocka_unit_test(flavors),	   cmocka_unit_test(nothing_without_a_name),
		cmocka_unit_test(anonymous_members),
		cmocka_unit_test(member_loops),	   cmocka_unit_test(arrays),
		cmocka_unit_test(kinds),	   cmocka_unit_test(bit_fields),
		cmocka_unit_test(several_candidates), cmocka_unit_test(too_many_roots),
		cmocka_unit_test(types),	   cmocka_unit_test(enumerators),
		cmocka_unit_test(bad_paths),	   cmocka_unit_test(deep_paths),
		cmocka_unit_test(patch_accesses),  cmocka_unit_test(patch_numbers),
		cmocka_unit_test(patch_wide),	   cmocka_unit_test(poison),
		cmocka_unit_test(signs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
