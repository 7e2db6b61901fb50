/* SPDX-License-Identifier: MIT */
/* Format files of tracefs: of real kernels, and of none. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/unit/unit.h"

#include "loader/sys.h"
#include "loader/tracepoint.h"

static const char switch_format[] =
	"name: sched_switch\nID: 372\nformat:\n"
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n"
	"\n"
	"\tfield:char prev_comm[16];\toffset:8;\tsize:16;\tsigned:0;\n"
	"\tfield:pid_t prev_pid;\toffset:24;\tsize:4;\tsigned:1;\n"
	"\tfield:long prev_state;\toffset:32;\tsize:8;\tsigned:1;\n"
	"\tfield:pid_t next_pid;\toffset:56;\tsize:4;\tsigned:1;\n"
	"\nprint fmt: \"next_pid=%d\", REC->next_pid\n";
static const char free_format[] =
	"\tfield:__data_loc char[] comm;\toffset:8;\tsize:4;\tsigned:0;\n"
	"\tfield:pid_t pid;\toffset:12;\tsize:4;\tsigned:1;\n";

static int find(const char *text, const char *name, uint32_t size, uint16_t *offset)
{
	size_t length = strlen(text);
	uint8_t *copy = copy_of(text, length);
	int found = tracepoint_field((struct bytes){ copy, length }, name, size, offset);

	free(copy);
	return found;
}

static void fields(void **state)
{
	static const struct {
		const char *text, *name;
		uint32_t size;
		int found;
		uint16_t offset;
	} rows[] = {
		{ switch_format, "next_pid", 4, 1, 56 },
		{ switch_format, "prev_state", 8, 1, 32 },
		{ switch_format, "prev_state", 4, 0, 0 },	/* of another size: not what the probe reads */
		{ switch_format, "common_pid", 4, 1, 4 },
		{ free_format, "pid", 4, 1, 12 },		/* not common_pid, nor a part of another name */
		{ switch_format, "pid", 4, 0, 0 },
		{ switch_format, "next_pi", 4, 0, 0 },
		{ switch_format, "next_pidx", 4, 0, 0 },
		{ switch_format, "", 4, 0, 0 },
		{ switch_format, "REC", 4, 0, 0 },
		{ "", "pid", 4, 0, 0 },
		{ "\n\n\n", "pid", 4, 0, 0 },
		{ "field:int pid;", "pid", 4, -SYS_EINVAL, 0 },
		{ "field:int pid", "pid", 4, -SYS_EINVAL, 0 },
		{ "field:int pid; offset:", "pid", 4, -SYS_EINVAL, 0 },
		{ "field:int pid; offset:8", "pid", 4, -SYS_EINVAL, 0 },
		{ "field:int pid; offset:8; size:4", "pid", 4, -SYS_EINVAL, 0 },
		{ "field:int pid; offset:8; size:4;", "pid", 4, 1, 8 },
		{ "field:int pid; offset:-8; size:4;", "pid", 4, -SYS_EINVAL, 0 },
		{ "field:int pid; offset:8188; size:4;", "pid", 4, 1, 8188 },
		{ "field:int pid; offset:8189; size:4;", "pid", 4, -SYS_EINVAL, 0 },
		{ "field:int pid; offset:4294967304; size:4;", "pid", 4, -SYS_EINVAL, 0 },
		{ "field:int pid; offset:18446744073709551624; size:4;", "pid", 4, -SYS_EINVAL, 0 },
		{ "field:int pid; size:4; offset:8;", "pid", 4, -SYS_EINVAL, 0 },
		{ "field:int pid;\noffset:8; size:4;", "pid", 4, -SYS_EINVAL, 0 },
		{ "field:int pid;\nfield:int pid; offset:8; size:4;", "pid", 4, -SYS_EINVAL, 0 },
		{ "field:int pid[2]; offset:8; size:8;", "pid", 8, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint16_t offset = 0;
		int found = find(rows[i].text, rows[i].name, rows[i].size, &offset);

		if (found != rows[i].found || offset != rows[i].offset)
			print_error("row %zu\n", i);
		assert_int_equal(found, rows[i].found);
		assert_int_equal(offset, rows[i].offset);
	}
}

/* Cut and changed anywhere: an offset that comes out lies in a record. */
static void hostile(void **state)
{
	char text[sizeof switch_format];

	(void)state;
	for (size_t cut = 0; cut < sizeof switch_format; cut++) {
		uint16_t offset = 0;

		memcpy(text, switch_format, sizeof text);
		text[cut] = 0;
		if (find(text, "next_pid", 4, &offset) == 1)
			assert_int_equal(offset, 56);
	}
	for (size_t at = 0; at < sizeof switch_format - 1; at++) {
		for (int value = 1; value < 256; value += 3) {
			uint16_t offset = 0;

			memcpy(text, switch_format, sizeof text);
			text[at] = (char)value;
			if (find(text, "next_pid", 4, &offset) == 1)
				assert_in_range(offset, 0, 8188);
		}
	}
}

static void numbers(void **state)
{
	static const struct {
		const char *text;
		int error;
		uint64_t number;
	} rows[] = {
		{ "372\n", 0, 372 }, { "0", 0, 0 }, { "4294967295\n", 0, UINT32_MAX },
		{ "4294967296\n", -SYS_EINVAL, 0 }, { "", -SYS_EINVAL, 0 }, { "\n", -SYS_EINVAL, 0 },
		{ "-1\n", -SYS_EINVAL, 0 }, { "3 4\n", -SYS_EINVAL, 0 }, { "0x10\n", -SYS_EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint8_t *copy = copy_of(rows[i].text, strlen(rows[i].text));
		uint64_t number = 0;

		assert_int_equal(tracepoint_number((struct bytes){ copy, strlen(rows[i].text) }, &number),
				 rows[i].error);
		if (!rows[i].error)
			assert_int_equal(number, rows[i].number);
		free(copy);
	}
}

static void put(int folder, const char *path, const char *text)
{
	int fd = openat(folder, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* A tracefs of our own: each file, missing or wrong, is named in the failure. */
static void folders(void **state)
{
	static const char *const events[] = { "sched", "task", "sched/sched_switch", "task/task_newtask",
					      "sched/sched_process_free", "sched/sched_process_exec" };
	static const char *const files[] = { "sched/sched_switch", "task/task_newtask", "sched/sched_process_free",
					     "sched/sched_process_exec" };
	static const char *const texts[] = { switch_format, free_format, free_format,
					     "\tfield:pid_t old_pid;\toffset:16;\tsize:4;\tsigned:1;\n" };
	char place[] = "/tmp/rstat-tracefs-XXXXXX", path[64], command[64];
	struct tracepoint_offsets at = { 0 };
	struct failure failure = { 0 };
	uint64_t id = 0;
	int folder;

	(void)state;
	assert_non_null(mkdtemp(place));
	folder = open(place, O_RDONLY | O_DIRECTORY);
	for (unsigned i = 0; i < COUNT_OF(events); i++)
		assert_int_equal(mkdirat(folder, events[i], 0700), 0);
	for (unsigned i = 0; i <= COUNT_OF(files); i++) {
		failure = (struct failure){ 0 };
		if (i == COUNT_OF(files))
			break;
		assert_int_equal(tracepoint_offsets(folder, &at, &failure), -SYS_ENOENT);
		check_failure(&failure, files[i]);
		snprintf(path, sizeof path, "%s/format", files[i]);
		put(folder, path, "nothing\n");
		failure = (struct failure){ 0 };
		assert_int_equal(tracepoint_offsets(folder, &at, &failure), -SYS_EINVAL);
		check_failure(&failure, files[i]);
		put(folder, path, texts[i]);
	}
	assert_int_equal(tracepoint_offsets(folder, &at, &failure), 0);
	assert_int_equal(at.switch_prev_state, 32);
	assert_int_equal(at.switch_next_pid, 56);
	assert_int_equal(at.birth_pid, 12);
	assert_int_equal(at.free_pid, 12);
	assert_int_equal(at.exec_old_pid, 16);
	assert_int_equal(tracepoint_id(folder, "sched/sched_switch", &id, &failure), -SYS_ENOENT);
	check_failure(&failure, "sched/sched_switch: ENOENT: this kernel does not have it");
	put(folder, "sched/sched_switch/id", "x\n");
	failure = (struct failure){ 0 };
	assert_int_equal(tracepoint_id(folder, "sched/sched_switch", &id, &failure), -SYS_EINVAL);
	put(folder, "sched/sched_switch/id", "372\n");
	assert_int_equal(tracepoint_id(folder, "sched/sched_switch", &id, &failure), 0);
	assert_int_equal(id, 372);
	close(folder);
	snprintf(command, sizeof command, "rm -r %s", place);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields),
		cmocka_unit_test(hostile),
		cmocka_unit_test(numbers),
		cmocka_unit_test(folders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
