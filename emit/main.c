/* SPDX-License-Identifier: MIT */
#include "emit/face.h"
#include "emit/guard.h"
#include "emit/loop.h"
#include "emit/monitor.h"
#include "emit/options.h"
#include "emit/reports.h"
#include "emit/term.h"
#include "emit/words.h"
#include "loader/machine.h"
#include "loader/sandbox.h"
#include "loader/start.h"
#include "loader/sys.h"

enum { STDIN = 0, STDOUT = 1, STDERR = 2, DESCRIPTORS = 1 << 16, EXIT_FAILED = 1 };

static struct monitor monitor;
static struct options options;

static int say(const char *line, size_t length, int code)
{
	write_all(STDERR, "rstat: ", 7);
	write_all(STDERR, line, length);
	write_all(STDERR, "\n", 1);
	return code;
}

static int print(void (*put)(struct text *out))
{
	static char data[OPTIONS_TEXT_SIZE_MAX];
	struct text out = text_over(data, sizeof data);

	put(&out);
	return write_all(STDOUT, out.data, out.used) ? EXIT_FAILED : 0;
}

static void put_version(struct text *out)
{
	text_string(out, "rstat " RSTAT_VERSION "\n");
}

/* One by one where the kernel, or what confines us already, has no close_range(2). */
static void close_handed_down(void)
{
	if (!sys_close_from(STDERR + 1))
		return;
	for (int fd = STDERR + 1; fd < DESCRIPTORS; fd++)
		sys_close(fd);
}

/* No descriptor of ours may become 0, 1 or 2: what is closed there is opened on nothing. */
static int fill_standard_descriptors(struct failure *f)
{
	uint32_t mode;
	int64_t size;
	int fd;

	if (sys_fstat(STDOUT, &mode, &size) == -SYS_EBADF)
		return fail(f, -SYS_EBADF, "write", "stdout", "it is closed");
	do {
		fd = sys_open("/dev/null", SYS_O_RDWR);
	} while (fd >= 0 && fd <= STDERR);
	if (fd >= 0)
		sys_close(fd);
	/* the limit may be raised later on, by who started us */
	for (int standard = STDIN; standard <= STDERR; standard++)
		if (sys_fstat(standard, &mode, &size) == -SYS_EBADF)
			return fail(f, fd, "open", "/dev/null", "0, 1 and 2 must be open");
	return 0;
}

/* A bar that dies should take us along; file capabilities have cleared what it asked for. */
static void follow_reader(void)
{
	uint8_t terminal[64];
	uint32_t mode = 0;
	int64_t size;

	options.terminal = !sys_ioctl(STDOUT, SYS_TCGETS, terminal);
	if (!options.file_path && !sys_fstat(STDOUT, &mode, &size) && (mode & SYS_S_IFMT) == SYS_S_IFIFO)
		sys_prctl(SYS_PR_SET_PDEATHSIG, SYS_SIGTERM);
}

/*
 * With more rights than its caller has otherwise: by the file's own (AT_SECURE), or handed down by a wrapper (ambient
 * capabilities, which an exec does not mark).
 */
static bool has_raised_rights(void)
{
	struct sys_capability set = { 0 };

	if (start_facts()->secure)
		return true;
	return !start_facts()->root && (sys_capget(&set) || set.word[0].permitted || set.word[1].permitted);
}

static int read_probe_file(struct probe_request *request, struct failure *f)
{
	struct arena file;
	int error;

	if (!options.probe_path)
		return 0;
	if (has_raised_rights())
		return fail(f, -SYS_EPERM, "read", options.probe_path,
			    "--probe is refused while the program has more rights than its caller");
	error = machine_read_file(options.probe_path, false, &file);
	request->object = (struct bytes){ file.data, file.used };
	return error ? fail(f, error, "read", options.probe_path, "no probe object") : 0;
}

static const char *variable(char **envp, const char *name)
{
	size_t length = word_length(name);

	for (; *envp; envp++)
		if (word_is(name, *envp, length) && (*envp)[length] == '=')
			return *envp + length + 1;
	return "";
}

/* A live view wants a terminal that can be drawn on, and somebody who restores it. https://no-color.org */
static void prepare_terminal(char **envp)
{
	const char *kind = variable(envp, "TERM");

	options.colour = !*variable(envp, "NO_COLOR");
	options.live = options.terminal && options.face == &term_face && options.action == ACTION_RUN && !options.once &&
		       *kind && !words_equal(kind, "dumb") && !guard_start();
	if (options.live)
		term_set(&options);
}

/* With file capabilities a file is written with its caller's own rights; with those of another user or group it is not at all. */
static bool has_rights_of_another(void)
{
	struct sys_capability set = { 0 };
	uint32_t two = 1u << (CAP_BPF - 32) | 1u << (CAP_PERFMON - 32);

	return start_facts()->another ||
	       (start_facts()->secure && (sys_capget(&set) || set.word[0].permitted || set.word[1].permitted & ~two));
}

static int act(struct failure *f)
{
	struct probe_request request = { .slots = options.max_tasks };

	if (options.file_path && has_rights_of_another()) {
		fail(f, -SYS_EPERM, "write", options.file_path, "--file is refused while the program has another user's rights");
		return EXIT_FAILED;
	}
	if (read_probe_file(&request, f))
		return EXIT_FAILED;
	/* memory of the kernel, which nobody finds who looks for the process that takes it */
	if (has_raised_rights() && request.slots > machine_most_slots())
		request.slots = machine_most_slots();
	if (options.action == ACTION_CHECK)
		return check_run(&monitor, &options, &request, f);
	if (monitor_open(&monitor, &options, &request, f))
		return EXIT_FAILED;
	switch (options.action) {
	case ACTION_BENCH: return bench_run(&monitor, &options, f);
	case ACTION_PROFILE: return profile_run(&monitor, &options, f);
	default: return loop_run(&monitor, &options, f);
	}
}

int main(int argc, char **argv, char **envp)
{
	char line[OPTIONS_TEXT_SIZE_MAX];
	struct text error = text_over(line, sizeof line);
	struct failure f = { 0 };
	int code;

	loop_take_signals();
	close_handed_down();
	if (fill_standard_descriptors(&f))
		return say(f.line, f.length, EXIT_FAILED);
	code = options_parse(&options, argc, argv, &error);
	if (code)
		return say(line, error.used, code);
	switch (options.action) {
	case ACTION_HELP: return print(options_help);
	case ACTION_LIST: return print(options_list);
	case ACTION_VERSION: return print(put_version);
	default: break;
	}
	follow_reader();
	if (!options.face)
		options.face = face_default(options.terminal);
	prepare_terminal(envp);
	code = act(&f);
	guard_end();
	return f.error ? say(f.line, f.length, EXIT_FAILED) : code;
}
