/* SPDX-License-Identifier: MIT */
/*
 * tracefs: one format file, which is also that of all events the probe wants, with an id; through files, with errors. The
 * input: a byte of flags, a line of what the id file says, then the format.
 */
#include "test/fuzz/fake.h"

#include <ctype.h>

#include "loader/sys.h"
#include "loader/tracepoint.h"

static void check_field(struct bytes format, const char *name, uint32_t size)
{
	uint16_t offset = 0xdead;
	int found = tracepoint_field(format, name, size, &offset);

	MUST(found == 0 || found == 1 || found == -22);
	if (found == 1) {
		MUST(offset + size <= 8192);
		MUST(memmem(format.data, format.size, name, strlen(name)) && memmem(format.data, format.size, "offset:", 7));
	} else {
		MUST(offset == 0xdead);
	}
}

static void check_number(struct bytes text)
{
	uint64_t number = 0, want;
	int error = tracepoint_number(text, &number);
	char *copy = strndup((const char *)text.data, text.size), *end;

	if (!error) {
		MUST(isdigit((unsigned char)*copy));
		want = strtoull(copy, &end, 10);
		MUST(want == number && number <= UINT32_MAX && (*end == '\n' || end == copy + text.size));
	}
	free(copy);
}

static void check_offsets(const struct tracepoint_offsets *at)
{
	MUST(at->switch_prev_state <= 8192 - sizeof(long) && at->switch_next_pid <= 8188 && at->birth_pid <= 8188 &&
	     at->free_pid <= 8188 && at->exec_old_pid <= 8188);
}

/* The tree that the format and the id stand in. */
static void put_tree(struct bytes id, struct bytes format, bool debug)
{
	static const char *const events[] = { "sched/sched_switch", "task/task_newtask", "sched/sched_process_free",
					      "sched/sched_process_exec" };
	static char line[9000];

	for (unsigned i = 0; i < COUNT_OF(events); i++) {
		for (unsigned file = 0; file < 2; file++) {
			struct bytes content = file ? format : id;
			struct text t = text_over(line, sizeof line);
			struct feed feed;

			text_string(&t, debug ? "sys/kernel/debug/tracing/events/" : "sys/kernel/tracing/events/");
			text_string(&t, events[i]);
			text_string(&t, file ? "/format = " : "/id = ");
			for (size_t k = 0; k < content.size && k < 1400; k++) {
				text_string(&t, "\\x");
				text_char(&t, "0123456789abcdef"[content.data[k] >> 4]);
				text_char(&t, "0123456789abcdef"[content.data[k] & 15]);
			}
			feed = feed_over((uint8_t *)line, t.used);
			fake_part(&feed);
		}
	}
}

static void check_files(struct bytes id, struct bytes format, uint8_t bits)
{
	struct tracepoint_offsets at = { 0 };
	struct failure f = { 0 }, other = { 0 }, third = { 0 };
	uint8_t faults[64];
	uint64_t number;
	int folder;

	fake_begin();
	put_tree(id, format, bits & 1);
	if (bits & 2) {
		for (unsigned i = 0; i < sizeof faults; i++)
			faults[i] = i < format.size ? format.data[format.size - 1 - i] : 0;
		fake.faults = feed_over(faults, sizeof faults);
	}
	folder = tracepoint_folder(&f);
	if (folder < 0) {
		check_failure(&f);
	} else {
		if (tracepoint_id(folder, "sched/sched_switch", &number, &other))
			check_failure(&other);
		if (tracepoint_offsets(folder, &at, &third))
			check_failure(&third);
		else
			check_offsets(&at);
		fake_system(NR_close, folder, 0, 0, 0, 0, 0);
	}
	MUST(!fake.opens);
	fake_end();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line;
	struct bytes id, format;

	if (!size)
		return 0;
	line = memchr(data, '\n', size);
	id = (struct bytes){ data + 1, line && line > data ? (size_t)(line - data) - 1 : size - 1 };
	format = line ? (struct bytes){ line + 1, size - (size_t)(line + 1 - data) } : (struct bytes){ data + size, 0 };
	check_number(id);
	check_field(format, "prev_state", sizeof(long));
	check_field(format, "next_pid", 4);
	check_field(format, "pid", 4);
	check_field(format, "old_pid", 4);
	check_files(id, format, data[0]);
	return 0;
}
