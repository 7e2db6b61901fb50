/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/unit/btf_build.h"

static struct btf_build build;

/* One type of every kind, in the order of the kinds: id == kind. */
static void build_all_kinds(struct btf_build *b)
{
	build_begin(b);
	build_int(b, "int", 4, 1);
	build_type(b, "", BTF_PTR, 0, 1);
	build_array(b, 1, 3);
	build_struct(b, "s", 12, { "a", 1, 0 }, { "b", 2, 32 });
	build_union(b, "u", 8, { "a", 1, 0 });
	build_enum(b, "e", 1, { "MINUS", UINT32_MAX }, { "ONE", 1 });
	build_type(b, "f", BTF_FWD, 0, 0);
	build_type(b, "t", BTF_TYPEDEF, 0, 4);
	build_type(b, "", BTF_VOLATILE, 0, 8);
	build_type(b, "", BTF_CONST, 0, 9);
	build_type(b, "", BTF_RESTRICT, 0, 2);
	build_type(b, "fn", BTF_FUNC, 0, 13);
	build_parts(b, "", BTF_FUNC_PROTO, 0, 1, (const struct build_part[]){ { "x", 1 }, { "y", 2 } }, 2);
	build_type(b, "v", BTF_VAR, 0, 1);
	build_word(b, 1);
	build_parts(b, ".data", BTF_DATASEC, 0, 4, (const struct build_part[]){ { "", 14, 0 } }, 1);
	build_type(b, "double", BTF_FLOAT, 0, 8);
	build_type(b, "tag", BTF_DECL_TAG, 0, 4);
	build_word(b, UINT32_MAX);
	build_type(b, "user", BTF_TYPE_TAG, 0, 1);
	build_parts(b, "e64", BTF_ENUM64, 0, 8,
		    (const struct build_part[]){ { "BIG", 0x55667788, 0x11223344 } }, 1);
	assert_int_equal(b->types, BTF_KINDS - 1);
}

static void all_kinds(void **state)
{
	static const struct {
		uint32_t stripped;
		int64_t size;
	} want[BTF_KINDS] = {
		[BTF_VOID] = { 0, -1 }, [BTF_INT] = { 1, 4 }, [BTF_PTR] = { 2, 8 }, [BTF_ARRAY] = { 3, 12 },
		[BTF_STRUCT] = { 4, 12 }, [BTF_UNION] = { 5, 8 }, [BTF_ENUM] = { 6, 4 }, [BTF_FWD] = { 7, -1 },
		[BTF_TYPEDEF] = { 4, 12 }, [BTF_VOLATILE] = { 4, 12 }, [BTF_CONST] = { 4, 12 },
		[BTF_RESTRICT] = { 2, 8 }, [BTF_FUNC] = { 12, -1 }, [BTF_FUNC_PROTO] = { 13, -1 },
		[BTF_VAR] = { 14, -1 }, [BTF_DATASEC] = { 15, -1 }, [BTF_FLOAT] = { 16, 8 },
		[BTF_DECL_TAG] = { 17, -1 }, [BTF_TYPE_TAG] = { 1, 4 }, [BTF_ENUM64] = { 19, 8 },
	};
	const struct btf *btf = &build.btf;
	struct btf_type type;
	uint32_t element, count;
	int64_t value;

	(void)state;
	build_all_kinds(&build);
	build_open(&build);
	for (uint32_t id = 0; id < BTF_KINDS; id++) {
		assert_true(btf_type(btf, id).kind == id);
		assert_int_equal(btf_strip(btf, id), want[id].stripped);
		assert_int_equal(btf_size(btf, id), want[id].size);
	}
	type = btf_type(btf, BTF_STRUCT);
	assert_string_equal(type.name, "s");
	assert_int_equal(type.count, 2);
	assert_string_equal(btf_member(btf, &type, 1).name, "b");
	assert_int_equal(btf_member(btf, &type, 1).type, 2);
	assert_int_equal(btf_member(btf, &type, 1).bit_offset, 32);
	assert_int_equal(btf_member(btf, &type, 1).bit_size, 0);
	type = btf_type(btf, BTF_FUNC_PROTO);
	assert_int_equal(btf_parameter(btf, &type, 0), 1);
	assert_int_equal(btf_parameter(btf, &type, 1), 2);
	type = btf_type(btf, BTF_ENUM);
	assert_string_equal(btf_enumerator(btf, &type, 0, &value), "MINUS");
	assert_true(value == -1);
	assert_string_equal(btf_enumerator(btf, &type, 1, &value), "ONE");
	assert_true(value == 1);
	type = btf_type(btf, BTF_ENUM64);
	assert_string_equal(btf_enumerator(btf, &type, 0, &value), "BIG");
	assert_true(value == 0x1122334455667788);
	type = btf_type(btf, BTF_ARRAY);
	btf_array(btf, &type, &element, &count);
	assert_int_equal(element, 1);
	assert_int_equal(count, 3);

	assert_int_equal(btf_find(btf, BTF_STRUCT, "s"), BTF_STRUCT);
	assert_int_equal(btf_find(btf, BTF_UNION, "s"), 0);
	assert_int_equal(btf_find(btf, BTF_TYPEDEF, "t"), BTF_TYPEDEF);
	assert_int_equal(btf_find(btf, BTF_INT, "in"), 0);
	assert_int_equal(btf_find(btf, BTF_INT, "intx"), 0);
	assert_int_equal(btf_next(btf, 0, 1u << BTF_ENUM | 1u << BTF_STRUCT), BTF_STRUCT);
	assert_int_equal(btf_next(btf, BTF_STRUCT, 1u << BTF_ENUM | 1u << BTF_STRUCT), BTF_ENUM);
	assert_int_equal(btf_next(btf, BTF_ENUM, 1u << BTF_ENUM | 1u << BTF_STRUCT), 0);
	assert_int_equal(btf_next(btf, 0, ~0u), 1);
	assert_int_equal(btf_next(btf, btf->count, ~0u), 0);
	/* ids that do not exist are void */
	assert_int_equal(btf_type(btf, BTF_KINDS).kind, BTF_VOID);
	assert_string_equal(btf_type(btf, UINT32_MAX).name, "");
	assert_int_equal(btf_size(btf, UINT32_MAX), -1);
	assert_int_equal(btf_strip(btf, UINT32_MAX), UINT32_MAX);
	build_close(&build);
}

/* Unsigned enumerators do not extend their sign. */
static void enumerators(void **state)
{
	struct btf_type type;
	uint32_t id;
	int64_t value;

	(void)state;
	build_begin(&build);
	id = build_enum(&build, "e", 0, { "ALL", UINT32_MAX });
	build_open(&build);
	type = btf_type(&build.btf, id);
	btf_enumerator(&build.btf, &type, 0, &value);
	assert_true(value == UINT32_MAX);
	build_close(&build);
}

/* Bit-fields: with the kind flag a member's size is in the upper byte of its offset. */
static void bit_fields(void **state)
{
	static const struct build_part parts[] = { { "a", 1, 3u << 24 | 5 }, { "b", 1, 32 } };
	struct btf_type type;

	(void)state;
	build_begin(&build);
	build_int(&build, "int", 4, 1);
	build_parts(&build, "flagged", BTF_STRUCT, 1, 8, parts, 2);
	build_parts(&build, "plain", BTF_STRUCT, 0, 8, parts, 2);
	build_open(&build);
	type = btf_type(&build.btf, 2);
	assert_true(type.flag);
	assert_int_equal(type.count, 2);
	assert_int_equal(btf_member(&build.btf, &type, 0).bit_offset, 5);
	assert_int_equal(btf_member(&build.btf, &type, 0).bit_size, 3);
	assert_int_equal(btf_member(&build.btf, &type, 1).bit_size, 0);
	type = btf_type(&build.btf, 3);
	assert_int_equal(btf_member(&build.btf, &type, 0).bit_offset, 3u << 24 | 5);
	assert_int_equal(btf_member(&build.btf, &type, 0).bit_size, 0);
	build_close(&build);
}

static void use_everything(const struct btf *btf)
{
	for (uint32_t id = 0; id <= btf->count + 1; id++) {
		struct btf_type type = btf_type(btf, id);
		uint32_t element, count;
		int64_t value;

		assert_true(strlen(type.name) < BUILD_STRINGS);
		for (uint32_t i = 0; i < type.count && i < 8; i++) {
			btf_member(btf, &type, i);
			btf_enumerator(btf, &type, i, &value);
			btf_parameter(btf, &type, i);
		}
		btf_array(btf, &type, &element, &count);
		btf_strip(btf, id);
		assert_true(btf_size(btf, id) >= -1);
	}
	btf_find(btf, BTF_STRUCT, "no such name");
}

/* Cut anywhere it is an error: the strings stand last. Cut types with whole strings, too. */
static void every_length(void **state)
{
	size_t size;
	uint8_t *data;

	(void)state;
	build_all_kinds(&build);
	data = build_bytes(&build, &size);
	for (size_t length = 0; length <= size; length++) {
		uint8_t *part = copy_of(data, length);
		struct failure f;
		struct btf btf;
		uint32_t *index;
		int error = build_open_bytes(part, length, &btf, &index, &f);

		assert_int_equal(error, length == size ? 0 : -22);
		if (error)
			check_failure(&f, length < BUILD_HEADER ? "no BTF of version 1" :
								  "types or strings outside the data");
		free(part);
		free(index);
	}
	for (uint32_t words = 0; words < build.words; words++) {
		struct btf_build cut = build;
		struct failure f;
		struct btf btf;
		uint32_t *index;
		uint8_t *part;
		int error;

		cut.words = words;
		part = build_bytes(&cut, &size);
		error = build_open_bytes(part, size, &btf, &index, &f);
		if (error)
			check_failure(&f, "read BTF of a test: EINVAL: a type is cut off");
		else
			use_everything(&btf);
		free(part);
		free(index);
	}
	free(data);
}

/* Any value in any byte: an error, or BTF that can be used without harm. */
static void every_byte(void **state)
{
	static const uint8_t values[] = { 0, 1, 0x0d, 0x7f, 0x80, 0xff };
	size_t size;
	uint8_t *data;

	(void)state;
	build_all_kinds(&build);
	data = build_bytes(&build, &size);
	for (size_t at = 0; at < size; at++) {
		for (size_t i = 0; i < COUNT_OF(values); i++) {
			uint8_t *copy = copy_of(data, size);
			struct failure f;
			struct btf btf;
			uint32_t *index;

			copy[at] = values[i];
			if (build_open_bytes(copy, size, &btf, &index, &f))
				check_failure(&f, "read BTF of a test: EINVAL: ");
			else
				use_everything(&btf);
			free(copy);
			free(index);
		}
	}
	free(data);
}

enum { H_MAGIC, H_SIZE, H_TYPES_AT, H_TYPES_SIZE, H_STRINGS_AT, H_STRINGS_SIZE };

static void headers(void **state)
{
	static const struct {
		uint32_t word, value;
		const char *want;	/* NULL: fine */
	} rows[] = {
		{ H_MAGIC, 0x0001eb9f, NULL },
		{ H_MAGIC, 0x0002eb9f, "no BTF of version 1" },
		{ H_MAGIC, 0x00019feb, "no BTF of version 1" },
		{ H_MAGIC, 0xff01eb9f, NULL },	/* flags are not ours to judge */
		{ H_SIZE, 0, "types or strings outside the data" },
		{ H_SIZE, 23, "types or strings outside the data" },
		{ H_SIZE, 25, "types or strings outside the data" },
		{ H_SIZE, UINT32_MAX, "types or strings outside the data" },
		{ H_TYPES_AT, UINT32_MAX, "types or strings outside the data" },
		{ H_TYPES_AT, 1 << 20, "types or strings outside the data" },
		{ H_TYPES_SIZE, UINT32_MAX, "types or strings outside the data" },
		{ H_TYPES_SIZE, UINT32_MAX & ~3u, "types or strings outside the data" },
		{ H_TYPES_SIZE, 15, "types or strings outside the data" },
		{ H_TYPES_SIZE, 0, NULL },
		{ H_TYPES_SIZE, 12, "a type is cut off" },
		{ H_TYPES_SIZE, 8, "a type is cut off" },
		{ H_STRINGS_AT, UINT32_MAX, "types or strings outside the data" },
		{ H_STRINGS_AT, 17, "types or strings outside the data" },
		{ H_STRINGS_SIZE, UINT32_MAX, "types or strings outside the data" },
		{ H_STRINGS_SIZE, 0, "strings do not begin and end with NUL" },
		{ H_STRINGS_SIZE, 1, NULL },
		{ H_STRINGS_SIZE, 4, "strings do not begin and end with NUL" },
		{ H_STRINGS_SIZE, 6, "types or strings outside the data" },
	};
	size_t size;
	uint8_t *data;

	(void)state;
	build_begin(&build);
	build_int(&build, "int", 4, 1);
	data = build_bytes(&build, &size);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint8_t *copy = copy_of(data, size);
		struct failure f;
		struct btf btf;
		uint32_t *index;
		int error;

		memcpy(copy + 4 * rows[i].word, &rows[i].value, 4);
		error = build_open_bytes(copy, size, &btf, &index, &f);
		if (!error == !!rows[i].want)
			print_error("row %zu\n", i);
		assert_int_equal(error, rows[i].want ? -22 : 0);
		if (error)
			check_failure(&f, rows[i].want);
		free(copy);
		free(index);
	}
	/* the first string must be the empty one */
	data[size - 5] = 'x';
	{
		struct failure f;
		struct btf btf;
		uint32_t *index;

		assert_int_equal(build_open_bytes(data, size, &btf, &index, &f), -22);
		check_failure(&f, "strings do not begin and end with NUL");
		free(index);
	}
	free(data);
}

/* A header of odd size: records then lie at odd addresses, and are still read right. */
static void odd_header(void **state)
{
	size_t size;
	uint8_t *data, *odd;

	(void)state;
	build_all_kinds(&build);
	data = build_bytes(&build, &size);
	for (size_t more = 1; more < 8; more++) {
		uint32_t header_size = BUILD_HEADER + (uint32_t)more, *index;
		struct failure f;
		struct btf btf;

		odd = exactly(size + more);
		memcpy(odd, data, BUILD_HEADER);
		memcpy(odd + 4, &header_size, 4);
		memcpy(odd + header_size, data + BUILD_HEADER, size - BUILD_HEADER);
		assert_int_equal(build_open_bytes(odd, size + more, &btf, &index, &f), 0);
		assert_int_equal(btf.count, BTF_KINDS - 1);
		assert_int_equal(btf_find(&btf, BTF_STRUCT, "s"), BTF_STRUCT);
		use_everything(&btf);
		free(odd);
		free(index);
	}
	free(data);
}

static void bad_kinds(void **state)
{
	(void)state;
	for (uint32_t kind = 0; kind < 32; kind++) {
		struct failure f;
		struct btf btf;
		uint32_t *index;
		uint8_t *data;
		size_t size;
		int error;

		build_begin(&build);
		build_type(&build, "x", kind, 0, 0);
		build_word(&build, 0);	/* enough for any one body */
		build_word(&build, 0);
		build_word(&build, 0);
		data = build_bytes(&build, &size);
		error = build_open_bytes(data, size, &btf, &index, &f);
		if (kind == BTF_VOID || kind >= BTF_KINDS) {
			assert_int_equal(error, -22);
			check_failure(&f, "a type of unknown kind");
		} else if (error) {	/* what is left over is no type */
			assert_true(btf.count >= 1);
		}
		free(data);
		free(index);
	}
}

/* A name behind the strings is none; one inside may begin anywhere. */
static void names(void **state)
{
	uint32_t strings;

	(void)state;
	build_begin(&build);
	build_int(&build, "int", 4, 1);
	strings = build.strings;
	assert_int_equal(strings, 5);
	for (uint32_t at = 0; at <= strings + 1; at++) {
		build.word[0] = at;
		build_open(&build);
		assert_string_equal(btf_type(&build.btf, 1).name, at && at < strings ? &"int"[at - 1] : "");
		build_close(&build);
	}
	build.word[0] = UINT32_MAX;
	build_open(&build);
	assert_string_equal(btf_type(&build.btf, 1).name, "");
	build_close(&build);
}

/* References in circles, too deep, and to nowhere come to an end. */
static void loops(void **state)
{
	const struct btf *btf = &build.btf;
	uint32_t deep, int_id;

	(void)state;
	build_begin(&build);
	build_type(&build, "self", BTF_TYPEDEF, 0, 1);
	build_type(&build, "a", BTF_TYPEDEF, 0, 3);
	build_type(&build, "", BTF_CONST, 0, 2);
	build_array(&build, 4, 1);	/* an array of itself */
	build_type(&build, "nowhere", BTF_TYPEDEF, 0, 4000000);
	int_id = build_int(&build, "int", 4, 1);
	deep = int_id;
	for (unsigned i = 0; i < 31; i++)
		deep = build_type(&build, "", BTF_CONST, 0, deep);
	build_type(&build, "", BTF_CONST, 0, deep);
	build_open(&build);
	assert_int_equal(btf_strip(btf, 1), 0);
	assert_int_equal(btf_size(btf, 1), -1);
	assert_int_equal(btf_strip(btf, 2), 0);
	assert_int_equal(btf_strip(btf, 3), 0);
	assert_int_equal(btf_size(btf, 4), -1);
	assert_int_equal(btf_size(btf, 5), -1);
	assert_int_equal(btf_strip(btf, deep), int_id);
	assert_int_equal(btf_size(btf, deep), 4);
	assert_int_equal(btf_strip(btf, deep + 1), 0);
	build_close(&build);
}

static void array_sizes(void **state)
{
	static const struct {
		uint32_t inner, middle, outer;
		int64_t want;
	} rows[] = {
		{ 1, 1, 1, 4 },
		{ 2, 3, 5, 120 },
		{ 0, 3, 5, 0 },
		{ 5, 3, 0, 0 },
		{ 1, 1, INT32_MAX, 4ll * INT32_MAX },
		{ 1, 1, 1u << 31, -1 },
		{ 1, 1, UINT32_MAX, -1 },
		{ UINT32_MAX, UINT32_MAX, UINT32_MAX, -1 },
		{ 1 << 11, 1 << 10, 1 << 10, -1 },
		{ (1 << 11) - 1, 1 << 10, 1 << 10, 4ll * ((1 << 11) - 1) << 20 },
		{ 1u << 16, 1u << 16, 1, -1 },
		{ UINT32_MAX, 1, INT32_MAX, -1 },
		{ 1 << 15, 1 << 15, 1 << 2, -1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint32_t id;

		build_begin(&build);
		id = build_int(&build, "int", 4, 1);
		id = build_array(&build, id, rows[i].inner);
		id = build_type(&build, "t", BTF_TYPEDEF, 0, id);
		id = build_array(&build, id, rows[i].middle);
		id = build_array(&build, id, rows[i].outer);
		build_open(&build);
		if (btf_size(&build.btf, id) != rows[i].want)
			print_error("row %zu\n", i);
		assert_true(btf_size(&build.btf, id) == rows[i].want);
		build_close(&build);
	}
	/* the largest struct, in the most elements */
	build_begin(&build);
	build_parts(&build, "s", BTF_STRUCT, 0, UINT32_MAX, NULL, 0);
	build_array(&build, 1, INT32_MAX);
	build_array(&build, 1, 1u << 31);
	build_type(&build, "", BTF_PTR, 0, 1);
	build_array(&build, 4, INT32_MAX);
	build_open(&build);
	assert_true(btf_size(&build.btf, 2) == (int64_t)UINT32_MAX * INT32_MAX);
	assert_true(btf_size(&build.btf, 3) == -1);
	assert_true(btf_size(&build.btf, 5) == 8ll * INT32_MAX);
	build_close(&build);
}

static void running_kernel(void **state)
{
	int fd = open("/sys/kernel/btf/vmlinux", O_RDONLY);
	struct stat facts;
	struct failure f;
	struct btf btf;
	uint32_t *index, task;
	uint8_t *data;
	ssize_t length, used = 0;

	(void)state;
	if (fd < 0)
		skip_because("/sys/kernel/btf/vmlinux cannot be read");
	assert_int_equal(fstat(fd, &facts), 0);
	data = exactly((size_t)facts.st_size);
	while ((length = read(fd, data + used, (size_t)(facts.st_size - used))) > 0)
		used += length;
	close(fd);
	assert_int_equal(used, facts.st_size);
	assert_int_equal(build_open_bytes(data, (size_t)used, &btf, &index, &f), 0);
	assert_true(btf.count > 10000);
	task = btf_find(&btf, BTF_STRUCT, "task_struct");
	assert_true(task);
	assert_true(btf_size(&btf, task) > 1000);
	assert_true(btf_find(&btf, BTF_TYPEDEF, "btf_trace_sched_switch"));
	free(data);
	free(index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_kinds),   cmocka_unit_test(enumerators),
		cmocka_unit_test(bit_fields),  cmocka_unit_test(every_length),
		cmocka_unit_test(every_byte),  cmocka_unit_test(headers),
		cmocka_unit_test(odd_header),  cmocka_unit_test(bad_kinds),
		cmocka_unit_test(names),
		cmocka_unit_test(loops),       cmocka_unit_test(array_sizes),
		cmocka_unit_test(running_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
