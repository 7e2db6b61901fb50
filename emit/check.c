/* SPDX-License-Identifier: MIT */
#include "emit/format.h"
#include "emit/loop.h"
#include "emit/reports.h"
#include "emit/seal.h"
#include "loader/bpf.h"
#include "loader/sandbox.h"
#include "loader/sys.h"

enum { NAME_WIDTH = 14, REPORT_SIZE = 24576, LOG_KEPT = 4096 };

static void put_name(struct text *out, const char *name)
{
	size_t begin = out->used;

	text_string(out, name);
	while (out->used - begin < NAME_WIDTH)
		text_char(out, ' ');
}

static void put_line(struct text *out, const char *name, const char *value)
{
	put_name(out, name);
	text_string(out, value);
	text_char(out, '\n');
}

/* The first line of a small file, or why it cannot be read. */
static void put_file(struct text *out, const char *name, const char *path)
{
	char data[128];
	int fd = sys_open(path, SYS_O_RDONLY);
	long length = fd < 0 ? fd : sys_read(fd, data, sizeof data);

	put_name(out, name);
	for (long i = 0; i < length && data[i] != '\n'; i++)
		text_char(out, data[i] >= ' ' && data[i] <= '~' ? data[i] : '?');
	if (length < 0)
		text_errno(out, (int)-length);
	text_string(out, " (");
	text_string(out, path);
	text_string(out, ")\n");
	if (fd >= 0)
		sys_close(fd);
}

static void put_kernel(struct text *out)
{
	struct sys_utsname name = { 0 };

	sys_uname(&name);
	put_name(out, "kernel");
	text_string(out, name.release);
	text_char(out, ' ');
	text_string(out, name.machine);
	text_char(out, '\n');
}

static void put_btf(struct text *out)
{
	static const char path[] = "/sys/kernel/btf/vmlinux";
	int fd = sys_open(path, SYS_O_RDONLY);
	uint32_t mode;
	int64_t size = 0;
	int error = fd < 0 ? fd : sys_fstat(fd, &mode, &size);

	put_name(out, "kernel types");
	if (error) {
		text_errno(out, -error);
		text_string(out, ": the probe needs them (CONFIG_DEBUG_INFO_BTF)");
	} else {
		text_unsigned(out, (uint64_t)size);
		text_string(out, " bytes of BTF");
	}
	text_string(out, " (");
	text_string(out, path);
	text_string(out, ")\n");
	if (fd >= 0)
		sys_close(fd);
}

static void put_capability(struct text *out, const struct sys_capability *set, unsigned bit, const char *name)
{
	text_string(out, set->word[bit / 32].effective >> bit % 32 & 1 ? " +" : " -");
	text_string(out, name);
}

static void put_capabilities(struct text *out)
{
	struct sys_capability set;

	/* what cannot be asked is not said to be none */
	if (sys_capget(&set))
		return;
	put_name(out, "capabilities");
	out->used--;
	put_capability(out, &set, CAP_BPF, "CAP_BPF");
	put_capability(out, &set, CAP_PERFMON, "CAP_PERFMON");
	put_capability(out, &set, CAP_SYS_ADMIN, "CAP_SYS_ADMIN");
	text_string(out, " (the first two are needed for the probe, the third only for --profile)\n");
}

static void put_programs(struct text *out, const struct probe *probe)
{
	for (uint32_t i = 0; i < probe->programs; i++) {
		struct bpf_program_facts facts;

		put_name(out, "program");
		text_string(out, probe->program_name[i]);
		if (!bpf_program_facts(probe->program[i], &facts)) {
			text_string(out, ": id ");
			text_unsigned(out, facts.id);
			text_string(out, ", ");
			text_unsigned(out, facts.instructions);
			text_string(out, " instructions verified, ");
			text_unsigned(out, facts.recursion_misses);
			text_string(out, " runs skipped by the recursion guard");
		}
		text_char(out, '\n');
	}
}

static void put_count(struct text *out, uint64_t count, const char *rest)
{
	text_unsigned(out, count);
	text_string(out, rest);
}

static void put_source(struct text *out, const struct monitor *monitor, uint64_t open_ns)
{
	put_name(out, "source");
	text_string(out, format_source(monitor->rung->source));
	text_string(out, monitor->rung->source == SOURCE_PROC ? " (a walk over /proc), in " : " (a probe), in ");
	text_fixed(out, open_ns, 6, 1);
	text_string(out, " ms\n");
	put_programs(out, &monitor->probe);
}

/* After a sample: a walk has none in use before. */
static void put_slots(struct text *out, const struct monitor *monitor)
{
	const struct counters *counters = monitor->view.counters;

	put_name(out, "slots");
	put_count(out, counters->high, " ever used of ");
	put_count(out, monitor->capacity, "; adopted ");
	put_count(out, counters->adopted, ", dropped ");
	put_count(out, counters->dropped, ", lost ");
	put_count(out, counters->lost, "\n");
	if (monitor->rung->source != SOURCE_PROC)
		return;
	put_name(out, "hidden");
	put_count(out, monitor->proc.io_hidden, " processes whose IO may not be read; CPU time in ");
	text_string(out, monitor->proc.clocks ? "ns\n" : "ticks\n");
}

static void put_known(struct text *out, const char *name, bool known)
{
	put_line(out, name, known ? "found" : "none found");
}

static void put_sources(struct text *out, const struct sample *s)
{
	static const char *const pressure[PRESSURE_KINDS] = { "cpu", "memory", "io" };

	put_known(out, "load", s->known & KNOWS_LOAD);
	put_known(out, "memory", s->known & KNOWS_MEMORY);
	put_name(out, "pressure");
	for (unsigned i = 0; i < PRESSURE_KINDS; i++) {
		text_string(out, i ? ", " : "");
		text_string(out, pressure[i]);
		text_string(out, s->pressure[i].known ? " found" : " absent (CONFIG_PSI, psi=1)");
	}
	text_char(out, '\n');
}

static bool put_sample(struct text *out, struct monitor *monitor)
{
	struct sys_timespec pause = { 0, 100000000 };
	const struct sample *s = &monitor->sample;
	bool works;

	monitor_take(monitor);
	sys_ppoll(NULL, 0, &pause);
	monitor_take(monitor);
	put_sources(out, s);
	works = s->known & KNOWS_RATES && s->tasks_total;
	put_name(out, "sample");
	text_unsigned(out, s->tasks_total);
	text_string(out, " tasks, ");
	text_fixed(out, s->cpu_ppm, 4, 1);
	text_string(out, "% CPU, took ");
	text_fixed(out, s->cost_ns, 3, 0);
	text_string(out, works ? " us: works\n" : " us: does not work\n");
	return works;
}

/* What was tried in vain, a line each. */
static void put_refusals(struct text *out, const struct monitor *monitor, const struct probe_request *request)
{
	for (unsigned i = 0; i < monitor->refusals; i++) {
		const struct refusal *refusal = &monitor->refused[i];

		put_name(out, "tried");
		text_string(out, format_source(refusal->rung->source));
		text_string(out, ": ");
		text_bytes(out, refusal->why.line, refusal->why.length);
		text_char(out, '\n');
	}
	if (!request->log_used)
		return;
	text_string(out, "The end of the verifier's log:\n");
	text_bytes(out, request->log, request->log_used);
}

int check_run(struct monitor *monitor, const struct options *options, struct probe_request *request,
	      struct failure *f)
{
	static char report[REPORT_SIZE], log[LOG_KEPT];
	struct text out = text_over(report, sizeof report);
	uint64_t began_ns = monitor_clock();
	struct sandbox_report sealed;
	bool works = false;
	int error;

	put_line(&out, "rstat", RSTAT_VERSION " " ARCH_NAME);
	put_kernel(&out);
	put_btf(&out);
	put_capabilities(&out);
	put_file(&out, "unprivileged", "/proc/sys/kernel/unprivileged_bpf_disabled");
	put_file(&out, "lockdown", "/sys/kernel/security/lockdown");
	request->log = log;
	request->log_size = sizeof log;
	error = monitor_open(monitor, options, request, f);
	put_refusals(&out, monitor, request);
	if (error) {
		put_line(&out, "source", "none works");
	} else {
		put_source(&out, monitor, monitor_clock() - began_ns);
		check_sensors(&out, monitor, options);
		error = seal(monitor, options, NULL, &sealed, f);
		works = !error && put_sample(&out, monitor);
		put_slots(&out, monitor);
		seal_print(&out, &sealed, NAME_WIDTH);
	}
	error = write_all(1, out.data, out.used);
	if (error && error != -SYS_EPIPE)
		fail(f, error, "write", "stdout", NULL);
	return works && !error ? 0 : 1;
}
