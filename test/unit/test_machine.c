/* SPDX-License-Identifier: MIT */
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/unit/unit.h"

#include "loader/machine.h"
#include "loader/sys.h"

static void cpu_lists(void **state)
{
	static const struct {
		const char *list;
		uint32_t want; /* 0: no list */
	} rows[] = {
		{ "0", 1 },
		{ "0\n", 1 },
		{ "7\n", 8 },
		{ "0-3", 4 },
		{ "0-3\n", 4 },
		{ "0-3,8-11", 12 },
		{ "0-3,8-11\n", 12 },
		{ "0,2,4\n", 5 },
		{ "0-0\n", 1 },
		{ "0-8191\n", 8192 },
		{ "8191", 8192 },
		{ "000000000000000000005\n", 6 },
		{ "", 0 },
		{ "\n", 0 },
		{ "a", 0 },
		{ "a\n", 0 },
		{ "-1\n", 0 },
		{ ",1\n", 0 },
		{ "0-", 0 },
		{ "0-\n", 0 },
		{ "0,", 0 },
		{ "0,\n", 0 },
		{ "0--3\n", 0 },
		{ "0-3,,5\n", 0 },
		{ "0 \n", 0 },
		{ " 0\n", 0 },
		{ "0-3x\n", 0 },
		{ "0x3\n", 0 },
		{ "8192\n", 0 },
		{ "0-8192\n", 0 },
		{ "4294967296\n", 0 },
		{ "18446744073709551616\n", 0 },
		{ "99999999999999999999999999999999\n", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		size_t size = strlen(rows[i].list);
		char *list = copy_of(rows[i].list, size); /* no NUL behind it */

		if (machine_cpu_list(list, size) != rows[i].want)
			print_error("row \"%s\"\n", rows[i].list);
		assert_int_equal(machine_cpu_list(list, size), rows[i].want);
		free(list);
	}
	/* what a NUL ends is no list either */
	assert_int_equal(machine_cpu_list("0-3\0", 4), 0);
	assert_int_equal(machine_cpu_list("0-3\n,9", 6), 4);
}

/* Against the C library's view of this machine. */
static void this_machine(void **state)
{
	uint32_t cpus = machine_possible_cpus(), slots = machine_default_slots();

	(void)state;
	assert_in_range(cpus, (uint32_t)sysconf(_SC_NPROCESSORS_ONLN), MACHINE_CPUS_MAX);
	assert_in_range(slots, MACHINE_SLOTS_MIN, MACHINE_SLOTS_MAX);
}

static void files(void **state)
{
	char path[] = "/tmp/rstat-unit-XXXXXX";
	struct arena arena;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(machine_read_file(path, false, &arena), -SYS_EINVAL); /* empty */
	assert_int_equal(write(fd, "contents", 8), 8);
	for (int kernels_own = 0; kernels_own <= 1; kernels_own++) {
		assert_int_equal(machine_read_file(path, kernels_own, &arena), 0);
		assert_int_equal(arena.used, 8);
		assert_memory_equal(arena.data, "contents", 8);
		sys_munmap(arena.data, arena.size);
	}
	close(fd);
	unlink(path);
	assert_int_equal(machine_read_file(path, false, &arena), -SYS_ENOENT);
	assert_int_equal(machine_read_file("/", false, &arena), -SYS_EINVAL); /* no regular file */
	assert_int_equal(machine_read_file("/dev/zero", true, &arena), -SYS_EINVAL);
}

/* Taken pieces are aligned, do not overlap, and end where the arena ends. */
static void arenas(void **state)
{
	uint8_t *data = exactly(64);
	struct arena arena = { .data = data, .size = 64 };

	(void)state;
	assert_ptr_equal(arena_take(&arena, 1), data);
	assert_ptr_equal(arena_take(&arena, 16), data + 16);
	assert_ptr_equal(arena_take(&arena, 0), data + 32);
	assert_null(arena_take(&arena, 33));
	assert_null(arena_take(&arena, SIZE_MAX));
	assert_ptr_equal(arena_take(&arena, 32), data + 32);
	assert_null(arena_take(&arena, 1));
	assert_ptr_equal(arena_take(&arena, 0), data + 64);
	arena = (struct arena){ .data = data, .size = 7, .used = 5 };
	assert_null(arena_take(&arena, 1));
	free(data);
}

/* In a process of its own, whose user may be another: what it comes to is its exit status. */
static int raise_from(struct rlimit limit, uid_t user)
{
	pid_t child = fork();
	int status;

	if (!child) {
		struct rlimit now;
		bool raised;

		if (setrlimit(RLIMIT_MEMLOCK, &limit) || setreuid(user, user))
			_exit(100);
		raised = machine_raise_locked();
		getrlimit(RLIMIT_MEMLOCK, &now);
		_exit(raised | (now.rlim_cur > limit.rlim_cur) << 1 | (now.rlim_cur == RLIM_INFINITY) << 2 |
		      machine_may_be_short() << 3);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void locked_memory(void **state)
{
	enum { RAISED = 1 | 2, ALL = 4, SHORT = 8, REFUSED = 100, NOBODY = 65534 };
	bool may_raise;

	(void)state;
	if (geteuid())
		skip_because("only root may raise the limit");
	may_raise = raise_from((struct rlimit){ RLIM_INFINITY, RLIM_INFINITY }, 0) != REFUSED;	/* CAP_SYS_RESOURCE */
	assert_int_equal(raise_from((struct rlimit){ 65536, 65536 }, 0), may_raise ? RAISED | ALL : SHORT);
	if (may_raise)
		assert_int_equal(raise_from((struct rlimit){ RLIM_INFINITY, RLIM_INFINITY }, 0), ALL);
	assert_int_equal(raise_from((struct rlimit){ 65536, 131072 }, NOBODY), RAISED);
	assert_int_equal(raise_from((struct rlimit){ 65536, 65536 }, NOBODY), 0);
}

/* Fails: machine_lockdown() that looks at the name without its brackets. */
static void lockdown_modes(void **state)
{
	static const char on[] = "none integrity [confidentiality]\n", off[] = "[none] integrity confidentiality\n";
	static const char some[] = "none [integrity] confidentiality\n";

	(void)state;
	assert_true(machine_lockdown(on, sizeof on - 1));
	assert_false(machine_lockdown(off, sizeof off - 1));
	assert_false(machine_lockdown(some, sizeof some - 1));
	assert_false(machine_lockdown(on, sizeof on - 3));	/* cut short */
	assert_false(machine_lockdown(on, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lockdown_modes),
		cmocka_unit_test(cpu_lists),
		cmocka_unit_test(locked_memory),
		cmocka_unit_test(this_machine),
		cmocka_unit_test(files),
		cmocka_unit_test(arenas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
