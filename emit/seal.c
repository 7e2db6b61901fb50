/* SPDX-License-Identifier: MIT */
#include "emit/seal.h"

#include "emit/format.h"
#include "emit/replace.h"
#include "loader/bpf.h"
#include "loader/cold.h"
#include "loader/sys.h"

/* Open at a time, at most: the refresh pass's iterator; a file of /proc; what a device that comes has to read, to keep. */
enum { PROBE_DESCRIPTORS = 1, PROC_DESCRIPTORS = 2, SENSOR_DESCRIPTORS = 64 };

/* What the loop asks of the probe: 0 or -errno. */
static int use_probe(void *data)
{
	struct probe *probe = data;
	int error = probe_begin_scan(probe);

	return error ? error : probe_refresh(probe);
}

/* Before Linux 6.0 every bpf(2) wants CAP_BPF where unprivileged_bpf_disabled is set. */
static void want_probe(struct sandbox *wants, struct probe *probe)
{
	wants->probe = true;
	wants->slots_map = probe->slots_map;
	wants->slots = probe->slots;
	wants->slots_size = probe_reserved(probe);
	wants->descriptors += PROBE_DESCRIPTORS;
	if (sandbox_needs_capability(use_probe, probe))
		wants->capabilities |= 1ull << CAP_BPF;
}

/* The IO of others: its file is its owner's, and whose may be read is decided at each read; ptrace(2) itself is forbidden. */
static void want_walk(struct sandbox *wants, const struct proc *proc)
{
	wants->proc = proc->directory;
	wants->descriptors += PROC_DESCRIPTORS;
	wants->capabilities |= 1ull << CAP_SYS_PTRACE | 1ull << CAP_DAC_READ_SEARCH;
}

/* The folder may be another user's, as the exporter's is: started by root, we could write there. */
static void want_file(struct sandbox *wants, const struct replace *file)
{
	wants->output = file->directory;
	wants->fresh = file->fresh;
	wants->name = file->name;
	wants->mode = REPLACE_MODE;
	wants->descriptors++;
	wants->capabilities |= 1ull << CAP_DAC_OVERRIDE;
}

int seal(struct monitor *monitor, const struct options *options, const struct replace *file, struct sandbox_report *report,
	 struct failure *f)
{
	struct sandbox wants = {
		.slots_map = -1,
		.proc = -1,
		/* devices by their class, and where those links lead */
		.sensors = { sys_open("/sys/class", SYS_O_PATH), sys_open("/sys/devices", SYS_O_PATH) },
		.output = -1,
		.terminal = options->live,
		.descriptors = SENSOR_DESCRIPTORS,
	};
	int error;

	cold_drop();
	if (file)
		want_file(&wants, file);
	if (monitor->rung->slow) {
		want_walk(&wants, &monitor->proc);
	} else {
		probe_seal(&monitor->probe);
		want_probe(&wants, &monitor->probe);
	}
	error = sandbox_enter(&wants, report);
	for (unsigned i = 0; i < LANDLOCK_FOLDERS; i++)
		sys_close_once(&wants.sensors[i]);
	if (!(report->opens & SANDBOX_SENSORS))
		sources_seal(&monitor->sources);
	return error ? fail(f, error, "give up", "what is not needed", NULL) : 0;
}

/* ---- the report */

static void put_step(struct text *out, unsigned width, const char *step)
{
	static const char name[] = "given up";

	text_string(out, name);
	format_gap(out, sizeof name - 1, width);
	text_string(out, step);
	text_string(out, ": ");
}

static void put_capabilities(struct text *out, uint64_t kept)
{
	static const struct {
		uint8_t bit;
		const char *name;
	} known[] = {
		{ CAP_BPF, "CAP_BPF" }, { CAP_SYS_PTRACE, "CAP_SYS_PTRACE" }, { CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE" },
		{ CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH" },
	};

	text_string(out, kept ? "all but" : "all");
	for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (!(kept >> known[i].bit & 1))
			continue;
		text_char(out, ' ');
		text_string(out, known[i].name);
	}
	text_char(out, '\n');
}

/* "not here: ENOSYS", or what it says. */
static bool put_outcome(struct text *out, int error)
{
	if (error) {
		text_string(out, "not here: ");
		text_errno(out, -error);
		text_char(out, '\n');
	}
	return !error;
}

void seal_print(struct text *out, const struct sandbox_report *report, unsigned width)
{
	put_step(out, width, "capabilities");
	if (put_outcome(out, report->capabilities))
		put_capabilities(out, report->kept);
	put_step(out, width, "new privileges by exec");
	if (put_outcome(out, report->no_new_privs))
		text_string(out, "all\n");
	put_step(out, width, "core files, processes, descriptors");
	if (put_outcome(out, report->limits))
		text_string(out, "all that are not needed\n");
	put_step(out, width, "files");
	if (report->opens & SANDBOX_PROC) {
		text_string(out, "all but reading; where, is not confined: Landlock would hide the IO of processes\n");
	} else if (put_outcome(out, report->landlock)) {
		text_string(out, report->opens ? "all but " : "all");
		if (report->opens & SANDBOX_SENSORS)
			text_string(out, "reading below /sys/class and /sys/devices");
		if (report->opens & SANDBOX_OUTPUT)
			text_string(out, report->opens & SANDBOX_SENSORS ? ", replacing the output" : "replacing the output");
		text_string(out, ", by Landlock ");
		text_unsigned(out, report->landlock_version);
		text_char(out, '\n');
	}
	put_step(out, width, "system calls");
	if (put_outcome(out, report->seccomp)) {
		text_string(out, "all but ");
		text_unsigned(out, report->calls);
		text_string(out, " forms, by seccomp\n");
	}
}
