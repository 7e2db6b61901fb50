/* SPDX-License-Identifier: MIT */
/*
 * The filter, run by an interpreter of its own as the kernel would run it (classic BPF, Linux'
 * Documentation/networking/filter.rst), over all calls and the arguments around what the rules allow.
 */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "loader/seccomp.h"
#include "loader/sys.h"
#include "test/unit/unit.h"

#if defined(__x86_64__)
static const uint32_t architecture = AUDIT_ARCH_X86_64;
#else
static const uint32_t architecture = AUDIT_ARCH_AARCH64;
#endif

_Static_assert(sizeof(struct seccomp_step) == sizeof(struct sock_filter), "sock_filter");

/* What the filter answers; every jump must stay inside, and lead forward by its nature. */
static uint32_t run(const struct seccomp_filter *filter, const struct seccomp_data *data)
{
	uint32_t accumulator = 0, word;

	for (unsigned at = 0; at < filter->count; at++) {
		const struct seccomp_step *step = &filter->step[at];
		bool holds = false;

		switch (step->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(step->value <= sizeof *data - 4 && step->value % 4 == 0);
			memcpy(&word, (const char *)data + step->value, 4);
			accumulator = word;
			continue;
		case BPF_RET | BPF_K: return step->value;
		case BPF_JMP | BPF_JEQ | BPF_K: holds = accumulator == step->value; break;
		case BPF_JMP | BPF_JGT | BPF_K: holds = accumulator > step->value; break;
		case BPF_JMP | BPF_JGE | BPF_K: holds = accumulator >= step->value; break;
		case BPF_JMP | BPF_JSET | BPF_K: holds = accumulator & step->value; break;
		default: _fail(__FILE__, __LINE__);
		}
		at += holds ? step->jump_true : step->jump_false;
		assert_true(at < filter->count);
	}
	return SECCOMP_RET_KILL_PROCESS;	/* what seccomp_install() puts last */
}

static bool allows(const struct seccomp_filter *filter, int call, const uint64_t *arguments)
{
	struct seccomp_data data = { .nr = call, .arch = architecture };
	uint32_t answer;

	if (arguments)
		memcpy(data.args, arguments, sizeof data.args);
	answer = run(filter, &data);
	assert_true(answer == SECCOMP_RET_ALLOW || answer == SECCOMP_RET_KILL_PROCESS);
	return answer == SECCOMP_RET_ALLOW;
}

static void test_calls(void **state)
{
	struct seccomp_filter *filter = exactly(sizeof *filter);

	(void)state;
	seccomp_begin(filter);
	for (int call = 0; call < 1000; call++)
		assert_false(allows(filter, call, NULL));
	seccomp_allow(filter, 17, NULL, 0);
	seccomp_allow(filter, 400, NULL, 0);
	assert_int_equal(filter->calls, 2);
	for (int call = -1000; call < 1000; call++)
		assert_int_equal(allows(filter, call, NULL), call == 17 || call == 400);
	assert_false(allows(filter, 17 | 0x40000000, NULL));
	free(filter);
}

static void test_architecture(void **state)
{
	static const uint32_t others[] = { AUDIT_ARCH_I386, AUDIT_ARCH_ARM, 0, ~0u };
	struct seccomp_filter *filter = exactly(sizeof *filter);

	(void)state;
	seccomp_begin(filter);
	seccomp_allow(filter, 3, NULL, 0);
	for (unsigned i = 0; i < COUNT_OF(others); i++) {
		struct seccomp_data data = { .nr = 3, .arch = others[i] };

		assert_int_equal(run(filter, &data), SECCOMP_RET_KILL_PROCESS);
	}
	free(filter);
}

static void test_arguments(void **state)
{
	static const struct seccomp_check first[] = {
		{ 0, SECCOMP_EQUAL, 10 }, { 2, SECCOMP_AT_MOST, 2 }, { 5, SECCOMP_NONE_OF, ~6u },
	};
	static const struct seccomp_check second[] = { { 0, SECCOMP_EQUAL, 33 } };
	static const struct {
		uint64_t arguments[6];
		bool allowed;
	} rows[] = {
		{ { 10, 99, 2, 99, 99, 6 }, true },
		{ { 10, 0, 0, 0, 0, 0 }, true },
		{ { 10, 0, 3, 0, 0, 0 }, false },		/* each check */
		{ { 11, 0, 0, 0, 0, 0 }, false },
		{ { 10, 0, 0, 0, 0, 1 }, false },
		{ { 10, 0, 0, 0, 0, 0x80000000 }, false },
		{ { 10 | 1ull << 32, 0, 0, 0, 0, 0 }, false },	/* the upper half of each */
		{ { 10, 0, 1ull << 32, 0, 0, 0 }, false },
		{ { 10, 0, 0, 0, 0, 2 | 1ull << 63 }, false },
		{ { 10, ~0ull, 0, ~0ull, ~0ull, 0 }, true },	/* what is not looked at */
		{ { 33, 0, 77, 0, 0, ~0ull }, true },		/* the second rule, after the first has failed */
		{ { ~0ull, 0, 0, 0, 0, 0 }, false },		/* -1 as a descriptor */
	};
	struct seccomp_filter *filter = exactly(sizeof *filter);

	(void)state;
	seccomp_begin(filter);
	seccomp_allow(filter, 5, NULL, 0);
	seccomp_allow(filter, 321, first, COUNT_OF(first));
	seccomp_allow(filter, 321, second, COUNT_OF(second));
	seccomp_allow(filter, 7, NULL, 0);
	for (unsigned i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(allows(filter, 321, rows[i].arguments), rows[i].allowed);
		assert_true(allows(filter, 7, rows[i].arguments));
		assert_false(allows(filter, 320, rows[i].arguments));
	}
	free(filter);
}

/* Addresses: both halves count, also those of a range. */
static void test_addresses(void **state)
{
	static const uint64_t from = 0x7fff80001000, to = 0x7fff80003000;
	static const struct seccomp_check checks[] = {
		{ 0, SECCOMP_AT_LEAST, from }, { 0, SECCOMP_AT_MOST, to }, { 1, SECCOMP_EQUAL, from }, { 2, SECCOMP_NOT, 12 },
	};
	static const struct {
		uint64_t arguments[6];
		bool allowed;
	} rows[] = {
		{ { from, from, 0 }, true },
		{ { to, from, 0 }, true },
		{ { from - 1, from, 0 }, false },
		{ { to + 1, from, 0 }, false },
		{ { (uint32_t)from, from, 0 }, false },		/* another upper half */
		{ { from + (1ull << 32), from, 0 }, false },
		{ { from - (1ull << 32), from, 0 }, false },
		{ { from, (uint32_t)from, 0 }, false },
		{ { from, from + 1, 0 }, false },
		{ { from, from | 1ull << 56, 0 }, false },	/* a tag is another value, too */
		{ { from, from, 12 }, false },
		{ { from, from, 11 }, true },
		{ { from, from, 13 }, true },
		{ { from, from, 12 | 1ull << 32 }, false },	/* the kernel looks at the lower half only */
	};
	struct seccomp_filter *filter = exactly(sizeof *filter);

	(void)state;
	seccomp_begin(filter);
	seccomp_allow(filter, 9, checks, COUNT_OF(checks));
	for (unsigned i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(allows(filter, 9, rows[i].arguments), rows[i].allowed);
	free(filter);
}

static void test_full(void **state)
{
	static const struct seccomp_check check = { 0, SECCOMP_EQUAL, 1 };
	struct seccomp_filter *filter = exactly(sizeof *filter);

	(void)state;
	seccomp_begin(filter);
	for (unsigned i = 0; i < SECCOMP_STEPS_MAX; i++)
		seccomp_allow(filter, i, &check, 1);
	assert_true(filter->full && filter->count < SECCOMP_STEPS_MAX);
	assert_int_equal(seccomp_install(filter), -SYS_E2BIG);
	free(filter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_architecture),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests_name("seccomp", tests, NULL, NULL);
}
