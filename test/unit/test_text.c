/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>

#include "test/unit/unit.h"

#include "loader/sys.h"
#include "loader/text.h"

static void check(const struct text *t, const char *want)
{
	assert_false(t->cut);
	assert_int_equal(t->used, strlen(want));
	assert_memory_equal(t->data, want, t->used);
}

static void numbers(void **state)
{
	static const uint64_t values[] = {
		0, 1, 9, 10, 99, 100, 4294967295, 4294967296, 1ull << 63, UINT64_MAX - 1, UINT64_MAX
	};
	static const int64_t signed_values[] = {
		0, 1, -1, 10, -10, INT32_MIN, INT64_MAX, INT64_MIN
	};
	char data[64], want[64];
	struct text t;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(values); i++) {
		t = text_over(data, sizeof data);
		text_unsigned(&t, values[i]);
		snprintf(want, sizeof want, "%" PRIu64, values[i]);
		check(&t, want);
		t = text_over(data, sizeof data);
		text_hex(&t, values[i]);
		snprintf(want, sizeof want, "%" PRIx64, values[i]);
		check(&t, want);
	}
	for (size_t i = 0; i < COUNT_OF(signed_values); i++) {
		t = text_over(data, sizeof data);
		text_signed(&t, signed_values[i]);
		snprintf(want, sizeof want, "%" PRId64, signed_values[i]);
		check(&t, want);
	}
}

static void fixed_point(void **state)
{
	static const struct {
		uint64_t value;
		unsigned scale, decimals;
		const char *want;
	} rows[] = {
		{ 0, 0, 0, "0" },
		{ 7, 0, 0, "7" },
		{ 0, 3, 3, "0.000" },
		{ 5, 3, 3, "0.005" },
		{ 1234, 3, 3, "1.234" },
		{ 1234, 3, 2, "1.23" },
		{ 1235, 3, 2, "1.24" },
		{ 1234, 3, 1, "1.2" },
		{ 1250, 3, 1, "1.3" },
		{ 1249, 3, 1, "1.2" },
		{ 1499, 3, 0, "1" },
		{ 1500, 3, 0, "2" },
		{ 999, 3, 2, "1.00" },
		{ 9999, 3, 1, "10.0" },
		{ 999949999, 9, 4, "0.9999" },
		{ 999950000, 9, 4, "1.0000" },
		{ 499999999, 9, 0, "0" },
		{ 500000000, 9, 0, "1" },
		{ 4, 1, 0, "0" },
		{ 5, 1, 0, "1" },
		{ 10000001, 7, 7, "1.0000001" },
		{ UINT64_MAX, 0, 0, "18446744073709551615" },
		{ UINT64_MAX, 9, 9, "18446744073.709551615" },
		{ UINT64_MAX, 9, 0, "18446744074" },
		{ UINT64_MAX, 1, 0, "1844674407370955162" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char data[64];
		struct text t = text_over(data, sizeof data);

		text_fixed(&t, rows[i].value, rows[i].scale, rows[i].decimals);
		check(&t, rows[i].want);
	}
}

static void write_all(struct text *t)
{
	text_string(t, "step");
	text_char(t, ' ');
	text_signed(t, -12345);
	text_bytes(t, "a\0b", 3);
	text_bytes(t, NULL, 0);
	text_string(t, "");
	text_fixed(t, 123456, 3, 2);
	text_hex(t, 0xdeadbeef);
	text_errno(t, EPERM);
	text_errno(t, 4000);
}

/* What fits is the beginning of the whole; the flag says that there was more, and stays set. */
static void every_size(void **state)
{
	char whole[128];
	struct text all = text_over(whole, sizeof whole);

	(void)state;
	write_all(&all);
	assert_false(all.cut);
	for (size_t size = 0; size <= all.used; size++) {
		char *part = exactly(size);
		struct text t = text_over(part, size);

		write_all(&t);
		assert_int_equal(t.used, size);
		assert_int_equal(t.cut, size < all.used);
		assert_memory_equal(part, whole, size);
		text_char(&t, '!');
		assert_true(t.cut);
		assert_int_equal(t.used, size);
		text_bytes(&t, "", 0);
		assert_true(t.cut);
		free(part);
	}
}

/* Every number the C library has a name for is either that name, or the number. */
static void errno_names(void **state)
{
	static const int tested_for[] = {
		SYS_EPERM,   SYS_ENOENT, SYS_EINTR,     SYS_EIO,        SYS_ENXIO,  SYS_E2BIG,
		SYS_EBADF,   SYS_EAGAIN, SYS_ENOMEM,    SYS_EACCES,     SYS_EEXIST, SYS_ENODEV,
		SYS_EISDIR,  SYS_EINVAL, SYS_ENOSPC,    SYS_EPIPE,      SYS_ERANGE, SYS_ENOSYS,
		SYS_ENODATA, SYS_EPROTO, SYS_EOVERFLOW, SYS_EOPNOTSUPP,
	};
	char data[32], number[32];
	unsigned named = 0;
	struct text t;

	(void)state;
	for (int error = 1; error < 4096; error++) {
		const char *name = error == 524 ? "ENOTSUPP" : strerrorname_np(error);
		int is_number;

		t = text_over(data, sizeof data);
		text_errno(&t, error);
		snprintf(number, sizeof number, "errno %d", error);
		is_number = t.used == strlen(number) && !memcmp(t.data, number, t.used);
		if (!is_number)
			assert_non_null(name);
		if (!is_number)
			check(&t, name);
		named += !is_number;
	}
	assert_int_equal(named, 37);
	for (size_t i = 0; i < COUNT_OF(tested_for); i++) {
		t = text_over(data, sizeof data);
		text_errno(&t, tested_for[i]);
		assert_int_equal(data[0], 'E');
	}
	t = text_over(data, sizeof data);
	text_errno(&t, 0);
	check(&t, "errno 0");
	t = text_over(data, sizeof data);
	text_errno(&t, -5);
	check(&t, "errno -5");
}

/* The line is one line of printable bytes, whatever the name; the first failure stays; the longest is cut. */
static void failures(void **state)
{
	struct failure f = { 0 };
	char name[301], advice[600];

	(void)state;
	assert_int_equal(fail(&f, -ENOENT, "open", "a\nb\x1b\xff", "try another"), -ENOENT);
	assert_int_equal(f.error, -ENOENT);
	check_failure(&f, "open a?b??: ENOENT: try another");
	assert_int_equal(f.length, strlen("open a?b??: ENOENT: try another"));
	assert_int_equal(fail(&f, -EPERM, "later", NULL, NULL), -EPERM);
	assert_int_equal(f.error, -ENOENT);
	check_failure(&f, "open a?b??");

	f = (struct failure){ 0 };
	fail(&f, -4000, "later", NULL, NULL);
	assert_int_equal(f.length, strlen("later: errno 4000"));
	check_failure(&f, "later: errno 4000");

	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = 0;
	memset(advice, 'a', sizeof advice - 1);
	advice[sizeof advice - 1] = 0;
	f = (struct failure){ 0 };
	fail(&f, -EIO, "s", name, NULL);
	assert_int_equal(f.length, strlen("s : EIO") + 80);
	f = (struct failure){ 0 };
	fail(&f, -EIO, "s", name, advice);
	assert_int_equal(f.length, sizeof f.line);
	check_failure(&f, "n: EIO: aaa");
}

/* What the verifier of 6.18 writes, and what is none of its addresses; of any size, cut anywhere. */
static void addresses(void **state)
{
	static const struct {
		const char *log, *want;
	} rows[] = {
		{ "32: (18) r1 = 0xffffc9000139dec8      ; R1=map_ptr(map=epoch_map,ks=4,vs=64)\n",
		  "32: (18) r1 = 0x????????????????      ; R1=map_ptr(map=epoch_map,ks=4,vs=64)\n" },
		{ "r1 = 0xFFFF888108ACC800", "r1 = 0x????????????????" },
		{ "r1 = 0Xff11000108acc800", "r1 = 0X????????????????" },	/* five levels of page tables */
		{ "0xffff888108", "0x??????????" },
		{ "0x0xffff888108acc800.0xffff888108acc800", "0x0x????????????????.0x????????????????" },
		{ "R2=scalar(smin=0,smax=umax=0xffffffff,var_off=(0x0; 0xffff))",
		  "R2=scalar(smin=0,smax=umax=0xffffffff,var_off=(0x0; 0xffff))" },
		{ "r3 = 0x7ffff00000000000; ffff888108acc800", "r3 = 0x7ffff00000000000; ffff888108acc800" },
		{ "0x", "0x" }, { "0xff", "0xff" }, { "0", "0" }, { "", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		size_t size = strlen(rows[i].log);
		char *log = copy_of(rows[i].log, size);

		failure_hide_addresses(log, size);
		assert_memory_equal(log, rows[i].want, size);
		free(log);
		for (; size; size--) {
			log = copy_of(rows[i].log, size);
			failure_hide_addresses(log, size);
			free(log);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),    cmocka_unit_test(fixed_point),
		cmocka_unit_test(every_size), cmocka_unit_test(errno_names),
		cmocka_unit_test(failures),   cmocka_unit_test(addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
