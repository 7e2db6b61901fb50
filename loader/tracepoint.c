/* SPDX-License-Identifier: MIT */
#include "loader/tracepoint.h"

#include "loader/sys.h"
#include "loader/text.h"

enum { FILE_MAX = 4096, PATH_MAX = 96, RECORD_MAX = 8192 /* PERF_MAX_TRACE_SIZE */ };

/* ---- format files */

static char char_at(struct bytes b, size_t at)
{
	return at < b.size ? (char)b.data[at] : '\0';
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Blanks and the word at *at, which is moved past them; false where something else stands there. */
static bool skip(struct bytes b, size_t *at, const char *word)
{
	while (char_at(b, *at) == '\t' || char_at(b, *at) == ' ')
		++*at;
	for (; *word; word++, ++*at)
		if (char_at(b, *at) != *word)
			return false;
	return true;
}

/* Digits at *at, which is moved past them; -EINVAL where there are none, or too many. */
static int digits(struct bytes b, size_t *at, uint64_t limit, uint64_t *number)
{
	size_t first = *at;

	for (*number = 0; char_at(b, *at) >= '0' && char_at(b, *at) <= '9'; ++*at) {
		*number = *number * 10 + (uint64_t)(char_at(b, *at) - '0');
		if (*number > limit)
			return -SYS_EINVAL;
	}
	return *at == first ? -SYS_EINVAL : 0;
}

/* "TYPE NAME;" at *at: whether it declares that name. *at is moved past the semicolon, or to the end of the line. */
static bool declares(struct bytes b, size_t *at, const char *name)
{
	size_t end = *at, begin;
	bool same = true;

	while (end < b.size && b.data[end] != ';' && b.data[end] != '\n')
		end++;
	for (begin = end; begin > *at && is_word((char)b.data[begin - 1]);)
		begin--;
	for (size_t i = begin; i < end && same; i++)
		same = *name && b.data[i] == (uint8_t)*name++;
	*at = end + (char_at(b, end) == ';');
	return same && !*name && begin < end;
}

/* One line: "field:pid_t next_pid;	offset:56;	size:4;	signed:1;" */
static int field_of_line(struct bytes line, const char *name, uint32_t size, uint16_t *offset)
{
	uint64_t found_offset, found_size;
	size_t at = 0;

	if (!skip(line, &at, "field:") || !declares(line, &at, name))
		return 0;
	if (!skip(line, &at, "offset:") || digits(line, &at, RECORD_MAX, &found_offset) ||
	    !skip(line, &at, ";") || !skip(line, &at, "size:") || digits(line, &at, RECORD_MAX, &found_size) ||
	    !skip(line, &at, ";") || found_offset + found_size > RECORD_MAX)
		return -SYS_EINVAL;
	if (found_size != size)
		return 0;
	*offset = (uint16_t)found_offset;
	return 1;
}

int tracepoint_field(struct bytes format, const char *name, uint32_t size, uint16_t *offset)
{
	for (size_t from = 0, to; from < format.size; from = to + 1) {
		int found;

		for (to = from; to < format.size && format.data[to] != '\n';)
			to++;
		found = field_of_line((struct bytes){ format.data + from, to - from }, name, size, offset);
		if (found)
			return found;
	}
	return 0;
}

int tracepoint_number(struct bytes text, uint64_t *number)
{
	size_t at = 0;
	int error = digits(text, &at, UINT32_MAX, number);

	return error || (at != text.size && text.data[at] != '\n') ? -SYS_EINVAL : 0;
}

/* ---- tracefs */

/* A mount that is in no tree: gone with its last descriptor. */
static int mount_own(void)
{
	int context = sys_fsopen("tracefs"), error, fd;

	if (context < 0)
		return context;
	error = sys_fsconfig_create(context);
	fd = error ? error : sys_fsmount(context);
	sys_close(context);
	return fd;
}

int tracepoint_folder(struct failure *f)
{
	static const char *const usual[] = { "/sys/kernel/tracing/events", "/sys/kernel/debug/tracing/events" };
	int fd = -SYS_ENOENT, own;

	for (unsigned i = 0; fd == -SYS_ENOENT && i < sizeof usual / sizeof usual[0]; i++)
		fd = sys_open(usual[i], SYS_O_RDONLY);
	if (fd >= 0)
		return fd;
	if (fd == -SYS_EACCES)
		return fail(f, fd, "open", "tracefs", "only root may read it");
	own = mount_own();
	if (own < 0)
		return fail(f, own, "open", "tracefs",
			    own == -SYS_ENODEV ? "this kernel is built without it (CONFIG_TRACING)" :
						 "not mounted: mount -t tracefs nodev /sys/kernel/tracing");
	fd = sys_open_at(own, "events", SYS_O_RDONLY);
	sys_close(own);
	return fd < 0 ? fail(f, fd, "open", "tracefs", "its events cannot be read") : fd;
}

/* folder/EVENT/NAME into data[FILE_MAX]. */
static int read_event_file(int folder, const char *event, const char *name, uint8_t *data, struct bytes *text)
{
	char path[PATH_MAX];
	struct text t = text_over(path, sizeof path - 1);
	size_t used = 0;
	long length;
	int fd;

	text_string(&t, event);
	text_char(&t, '/');
	text_string(&t, name);
	path[t.used] = 0;
	fd = t.cut ? -SYS_ENOENT : sys_open_at(folder, path, SYS_O_RDONLY);
	if (fd < 0)
		return fd;
	do {
		length = sys_read(fd, data + used, FILE_MAX - used);
		if (length > 0)
			used += (size_t)length;
	} while (length > 0);
	sys_close(fd);
	*text = (struct bytes){ data, used };
	return length < 0 ? (int)length : 0;
}

static int refuse(struct failure *f, int error, const char *event)
{
	return fail(f, error, "find tracepoint", event,
		    error == -SYS_ENOENT ? "this kernel does not have it" :
		    error == -SYS_EINVAL ? "what tracefs says of it makes no sense" :
		    error == -SYS_EACCES || error == -SYS_EPERM ? "only root may read it in tracefs" : NULL);
}

int tracepoint_id(int folder, const char *event, uint64_t *id, struct failure *f)
{
	uint8_t data[FILE_MAX];
	struct bytes text;
	int error = read_event_file(folder, event, "id", data, &text);

	if (!error)
		error = tracepoint_number(text, id);
	return error ? refuse(f, error, event) : 0;
}

int tracepoint_offsets(int folder, struct tracepoint_offsets *at, struct failure *f)
{
	const struct {
		const char *event, *field;
		uint32_t size;
		uint16_t *offset;
	} wanted[] = {
		{ "sched/sched_switch", "prev_state", sizeof(long), &at->switch_prev_state },
		{ "sched/sched_switch", "next_pid", 4, &at->switch_next_pid },
		{ "task/task_newtask", "pid", 4, &at->birth_pid },
		{ "sched/sched_process_free", "pid", 4, &at->free_pid },
		{ "sched/sched_process_exec", "old_pid", 4, &at->exec_old_pid },
	};
	uint8_t data[FILE_MAX];
	struct bytes text;

	for (unsigned i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		int error = read_event_file(folder, wanted[i].event, "format", data, &text), found;

		if (error)
			return refuse(f, error, wanted[i].event);
		found = tracepoint_field(text, wanted[i].field, wanted[i].size, wanted[i].offset);
		if (found != 1)
			return refuse(f, -SYS_EINVAL, wanted[i].event);
	}
	return 0;
}

int tracepoint_attach(uint64_t id, int program)
{
	const struct sys_perf_event event = {
		.type = SYS_PERF_TYPE_TRACEPOINT,
		.size = sizeof event,
		.config = id,
	};
	/* all processes, and one CPU: the program runs at the tracepoint, whatever event it came by */
	int fd = sys_perf_event_open(&event, -1, 0), error;

	if (fd < 0)
		return fd;
	error = sys_ioctl(fd, SYS_PERF_IOC_SET_BPF, (void *)(intptr_t)program);
	if (!error)
		error = sys_ioctl(fd, SYS_PERF_IOC_ENABLE, NULL);
	if (!error)
		return fd;
	sys_close(fd);
	return error;
}
