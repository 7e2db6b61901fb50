/* SPDX-License-Identifier: MIT */
/* LZ4 blocks: written by hand, the probe's own, cut and changed. */
#include "test/unit/unit.h"

#include "loader/sys.h"
#include "loader/unpack.h"

extern const uint8_t probe_object[], probe_object_end[];

static int unpack_copy(const uint8_t *data, size_t length, size_t size, uint8_t **to)
{
	uint8_t *copy = copy_of(data, length);
	int error;

	*to = exactly(size);
	error = unpack((struct bytes){ copy, length }, *to, size);
	free(copy);
	return error;
}

static void blocks(void **state)
{
	static const struct {
		const char *block;
		size_t length;
		const char *want;	/* NULL: refused */
		size_t size;
	} rows[] = {
		{ "\x30" "abc", 4, "abc", 3 },
		{ "\x30" "abc", 4, NULL, 4 },		/* too little */
		{ "\x30" "abc", 4, NULL, 2 },		/* too much */
		{ "\x40" "abc", 4, NULL, 4 },		/* literals are cut off */
		{ "\x10" "a\x01\x00" "\x10" "b", 6, "aaaaab", 6 },	/* a match over what it gives */
		{ "\x10" "a\x01\x00" "\x10" "b", 6, NULL, 5 },
		{ "\x20" "ab\x02\x00" "\x10" "c", 7, "abababc", 7 },
		{ "\x10" "a\x00\x00" "\x10" "b", 6, NULL, 6 },	/* no distance */
		{ "\x10" "a\x02\x00" "\x10" "b", 6, NULL, 6 },	/* before the beginning */
		{ "\x10" "a\x01", 3, NULL, 1 },		/* the distance is cut off */
		{ "\x10" "a\x01\x00", 4, NULL, 5 },	/* no last literals */
		{ "\xf0\x01" "0123456789abcdef", 18, "0123456789abcdef", 16 },
		{ "\xf0", 1, NULL, 15 },
		{ "\xf0\xff", 2, NULL, 270 },
		{ "\x1f" "a\x01\x00\x02" "\x10" "b", 7, "aaaaaaaaaaaaaaaaaaaaaab", 23 },
		{ "\x1f" "a\x01\x00\xff\xff\xff", 7, NULL, 23 },
		{ "", 0, NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint8_t packed[32] = { 0 }, *to;
		int error;

		memcpy(packed + 4, rows[i].block, rows[i].length);
		error = unpack_copy(packed, rows[i].length + 4, rows[i].size, &to);
		if (error != (rows[i].want ? 0 : -SYS_EINVAL))
			print_error("row %zu\n", i);
		assert_int_equal(error, rows[i].want ? 0 : -SYS_EINVAL);
		if (rows[i].want)
			assert_memory_equal(to, rows[i].want, rows[i].size);
		free(to);
	}
	assert_int_equal(unpack_size((struct bytes){ (const uint8_t *)"\x01\x02", 2 }), 0);
	assert_int_equal(unpack_size((struct bytes){ (const uint8_t *)"\x01\x02\0\0", 4 }), 513);
}

/* The object on disk is what is built in. */
static void own_object(void **state)
{
	size_t length = (size_t)((uintptr_t)probe_object_end - (uintptr_t)probe_object);
	size_t size = unpack_size((struct bytes){ probe_object, length });
	uint8_t *to, *changed = copy_of(probe_object, length), *other;

	(void)state;
	assert_int_equal(unpack_copy(probe_object, length, size, &to), 0);
	assert_memory_equal(to, "\177ELF", 4);
	free(to);
	for (size_t cut = 0; cut < length; cut += 97) {
		assert_int_equal(unpack_copy(probe_object, cut, size, &to), -SYS_EINVAL);
		free(to);
	}
	for (size_t at = 4; at < length; at += 13) {
		changed[at] ^= 0xff;
		(void)unpack_copy(changed, length, size, &other);	/* the sanitizers watch */
		free(other);
		changed[at] ^= 0xff;
	}
	free(changed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks),
		cmocka_unit_test(own_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
