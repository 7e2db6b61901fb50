/* SPDX-License-Identifier: MIT */
/*
 * The order is forced: capabilities go while prctl(2) and capset(2) may still be called, Landlock and seccomp want
 * no_new_privs without CAP_SYS_ADMIN, and seccomp comes last, since it forbids all of the above.
 */
#include "loader/sandbox.h"

#include "loader/bpf.h"
#include "loader/bpf_attr.h"
#include "loader/seccomp.h"
#include "loader/sys.h"

enum { CAPABILITIES_MAX = 64, WORD_BITS = 32, STREAM_MAX = 2, FD_MAX = 1 << 16 };

/* ---- capabilities */

static uint64_t both_words(const struct sys_capability *set)
{
	return set->word[0].permitted | (uint64_t)set->word[1].permitted << WORD_BITS;
}

static int set_capabilities(uint64_t permitted, uint64_t effective)
{
	struct sys_capability set = { 0 };

	for (unsigned i = 0; i < 2; i++) {
		set.word[i].permitted = (uint32_t)(permitted >> (WORD_BITS * i));
		set.word[i].effective = (uint32_t)(effective >> (WORD_BITS * i));
	}
	return sys_capset(&set);
}

static int drop_capabilities(uint64_t keep, uint64_t *kept)
{
	struct sys_capability held = { 0 };
	int error = sys_capget(&held);

	if (error)
		return error;
	*kept = both_words(&held) & keep;
	if (held.word[0].effective & 1u << CAP_SETPCAP) {
		for (unsigned i = 0; i < CAPABILITIES_MAX; i++)
			if (sys_prctl(SYS_PR_CAPBSET_DROP, i))	/* -EINVAL: past the last one */
				break;
	}
	/* 4.3; the sets that follow empty it, too, but a kernel may have kept more there than is permitted */
	sys_prctl(SYS_PR_CAP_AMBIENT, SYS_PR_CAP_AMBIENT_CLEAR_ALL);
	return set_capabilities(*kept, *kept);
}

bool sandbox_needs_capability(int (*works)(void *data), void *data)
{
	struct sys_capability held = { 0 };
	uint64_t permitted;
	int error;

	if (sys_capget(&held))
		return false;
	permitted = both_words(&held);
	if (!permitted || set_capabilities(permitted, 0))
		return false;
	error = works(data);
	set_capabilities(permitted, permitted);
	return error == -SYS_EPERM;
}

/* ---- limits */

/* The limit on descriptors under which `more` can be opened beside those that are: the number of the last free one, and one. */
static uint64_t descriptor_limit(unsigned more)
{
	unsigned fd;

	for (fd = 0; more && fd < FD_MAX; fd++) {
		uint32_t mode;
		int64_t size;

		if (sys_fstat((int)fd, &mode, &size) == -SYS_EBADF)
			more--;
	}
	return fd;
}

/* A limit that is lower already stays. */
static int lower(int resource, uint64_t value)
{
	struct sys_rlimit limit = { value, value }, old = { 0 };
	int error = sys_prlimit(0, resource, NULL, &old);

	if (error || (old.current <= value && old.maximum <= value))
		return error;
	if (old.current < value)
		limit.current = old.current;
	if (old.maximum < value)
		limit.maximum = old.maximum;
	return sys_prlimit(0, resource, &limit, NULL);
}

static int set_limits(unsigned descriptors)
{
	int error = lower(SYS_RLIMIT_CORE, 0);

	if (!error)
		error = lower(SYS_RLIMIT_NPROC, 0);
	if (!error)
		error = lower(SYS_RLIMIT_NOFILE, descriptor_limit(descriptors));
	return error;
}

/* ---- system calls */

static void allow_any(struct seccomp_filter *filter, unsigned call)
{
	seccomp_allow(filter, call, NULL, 0);
}

/* What every face and every source of tasks needs; the most frequent first. */
static void allow_loop(struct seccomp_filter *filter)
{
	static const struct seccomp_check to_streams[] = { { 0, SECCOMP_AT_MOST, STREAM_MAX } };
	static const uint16_t calls[] = {
		NR_pread64, NR_clock_gettime, NR_read, NR_sysinfo, NR_ppoll, NR_timerfd_settime, NR_exit_group,
		NR_restart_syscall,
	};

	for (unsigned i = 0; i < sizeof calls / sizeof calls[0]; i++)
		allow_any(filter, calls[i]);
	seccomp_allow(filter, NR_write, to_streams, 1);
}

/* Pieces that begin in that range; a check looks at one value of an address's upper half. */
static void allow_pieces(struct seccomp_filter *filter, int map, uintptr_t from, uintptr_t to)
{
	const struct seccomp_check piece[] = {
		{ 0, SECCOMP_AT_LEAST, from },
		{ 0, SECCOMP_AT_MOST, to },
		{ 1, SECCOMP_AT_MOST, SANDBOX_PIECE_MAX },
		{ 2, SECCOMP_EQUAL, SYS_PROT_READ },
		{ 3, SECCOMP_EQUAL, SYS_MAP_SHARED | SYS_MAP_FIXED },
		{ 4, SECCOMP_EQUAL, (uint32_t)map },
	};

	seccomp_allow(filter, NR_mmap, piece, 6);
}

static void allow_probe(struct seccomp_filter *filter, const struct sandbox *wants)
{
	static const struct seccomp_check run[] = {
		{ 0, SECCOMP_EQUAL, BPF_PROG_TEST_RUN }, { 2, SECCOMP_EQUAL, sizeof(struct attr_test_run) },
	};
	static const struct seccomp_check iterate[] = {
		{ 0, SECCOMP_EQUAL, BPF_ITER_CREATE }, { 2, SECCOMP_EQUAL, sizeof(struct attr_iter_create) },
	};
	static const struct seccomp_check give_back[] = { { 2, SECCOMP_EQUAL, SYS_MADV_DONTNEED } };
	uintptr_t from = (uintptr_t)wants->slots, last = from + wants->slots_size - SANDBOX_PIECE_MAX;
	uintptr_t border = last & ~(uintptr_t)UINT32_MAX;

	seccomp_allow(filter, NR_bpf, run, 2);
	seccomp_allow(filter, NR_bpf, iterate, 2);
	seccomp_allow(filter, NR_madvise, give_back, 1);
	if (from < border)
		allow_pieces(filter, wants->slots_map, from, border - 1);
	allow_pieces(filter, wants->slots_map, from < border ? border : from, last);
}

/* As collect/file.c opens files. From a descriptor, but a path that begins with a slash does not begin there: Landlock says where. */
static void allow_reading(struct seccomp_filter *filter)
{
	static const struct seccomp_check open[] = {
		{ 0, SECCOMP_AT_MOST, INT32_MAX }, { 2, SECCOMP_EQUAL, SYS_O_RDONLY | SYS_O_NONBLOCK | SYS_O_CLOEXEC },
	};

	seccomp_allow(filter, NR_openat, open, 2);
	allow_any(filter, NR_getdents64);
	allow_any(filter, NR_readlinkat);
}

/*
 * A new file of that one name, then it takes the place of the other one. A filter sees no names, but where they stand; that
 * cannot be written, nor anything be mapped over it. Nor may another folder get the descriptor's number.
 */
static void allow_replacing(struct seccomp_filter *filter, const struct sandbox *wants)
{
	uint32_t folder = (uint32_t)wants->output;
	uintptr_t fresh = (uintptr_t)wants->fresh, name = (uintptr_t)wants->name;
	const struct seccomp_check create[] = {
		{ 0, SECCOMP_EQUAL, folder }, { 1, SECCOMP_EQUAL, fresh },
		{ 2, SECCOMP_EQUAL, SYS_O_WRONLY | SYS_O_CREAT | SYS_O_EXCL | SYS_O_CLOEXEC }, { 3, SECCOMP_EQUAL, wants->mode },
	};
	const struct seccomp_check remove[] = { { 0, SECCOMP_EQUAL, folder }, { 1, SECCOMP_EQUAL, fresh }, { 2, SECCOMP_EQUAL, 0 } };
	const struct seccomp_check rename[] = {
		{ 0, SECCOMP_EQUAL, folder }, { 1, SECCOMP_EQUAL, fresh }, { 2, SECCOMP_EQUAL, folder }, { 3, SECCOMP_EQUAL, name },
	};

	seccomp_allow(filter, NR_openat, create, 4);
	seccomp_allow(filter, NR_unlinkat, remove, 3);
	seccomp_allow(filter, NR_renameat, rename, 4);
	allow_any(filter, NR_write);
}

static void allow_closing(struct seccomp_filter *filter, int folder)
{
	const struct seccomp_check other[] = { { 0, SECCOMP_NOT, (uint32_t)folder } };

	seccomp_allow(filter, NR_close, other, folder >= 0);
}

static void allow_terminal(struct seccomp_filter *filter)
{
	static const uint32_t requests[] = { SYS_TCGETS, SYS_TCSETS, SYS_TIOCGWINSZ, SYS_TIOCGPGRP };
	const struct seccomp_check stop[] = {	/* ourselves, as ctrl-Z does */
		{ 0, SECCOMP_EQUAL, (uint32_t)sys_getpid() }, { 1, SECCOMP_EQUAL, SYS_SIGTSTP },
	};
	static const struct seccomp_check own[] = { { 0, SECCOMP_EQUAL, 0 } };

	for (unsigned i = 0; i < sizeof requests / sizeof requests[0]; i++) {
		const struct seccomp_check request[] = { { 1, SECCOMP_EQUAL, requests[i] } };

		seccomp_allow(filter, NR_ioctl, request, 1);
	}
	seccomp_allow(filter, NR_kill, stop, 2);
	seccomp_allow(filter, NR_getpgid, own, 1);
	allow_any(filter, NR_wait4);
}

static int filter_calls(const struct sandbox *wants, struct sandbox_report *report)
{
	static struct seccomp_filter filter;
	int error;

	seccomp_begin(&filter);
	allow_loop(&filter);
	allow_closing(&filter, wants->output);
	if (wants->probe)
		allow_probe(&filter, wants);
	if (report->opens & (SANDBOX_PROC | SANDBOX_SENSORS))
		allow_reading(&filter);
	if (report->opens & SANDBOX_PROC)
		allow_any(&filter, NR_lseek);
	if (wants->output >= 0)
		allow_replacing(&filter, wants);
	if (wants->terminal)
		allow_terminal(&filter);
	error = seccomp_install(&filter);
	report->calls = error ? 0 : filter.calls;
	return error;
}

/* ---- all of it */

static int confine_files(const struct sandbox *wants, struct sandbox_report *report)
{
	int version = landlock_version(), error;

	if (version < 0)
		return version;
	/* who is confined may not look at who is not, as by ptrace(2): the IO of processes is not read then */
	if (wants->proc >= 0)
		return -SYS_EPERM;
	report->landlock_version = (unsigned)version;
	error = landlock_confine(version, wants->sensors, wants->output);
	for (unsigned i = 0; !error && i < LANDLOCK_FOLDERS; i++)
		report->opens |= wants->sensors[i] >= 0 ? SANDBOX_SENSORS : 0;
	return error;
}

/* What must have been done. Limits and seccomp(2) are left out where what confines us already does not let us: -EPERM. */
static int fatal(const struct sandbox_report *report)
{
	int error = report->capabilities ? report->capabilities : report->no_new_privs;

	if (!error && report->limits != -SYS_ENOSYS && report->limits != -SYS_EPERM)
		error = report->limits;
	if (!error && report->landlock_version)
		error = report->landlock;
	if (!error && report->seccomp != -SYS_ENOSYS && report->seccomp != -SYS_EINVAL && report->seccomp != -SYS_EPERM)
		error = report->seccomp;
	return error;
}

int sandbox_enter(const struct sandbox *wants, struct sandbox_report *report)
{
	*report = (struct sandbox_report){
		.opens = (wants->proc >= 0 ? SANDBOX_PROC : 0) | (wants->output >= 0 ? SANDBOX_OUTPUT : 0),
	};
	sys_prctl(SYS_PR_SET_DUMPABLE, 0);
	report->capabilities = drop_capabilities(wants->capabilities, &report->kept);
	report->no_new_privs = sys_prctl(SYS_PR_SET_NO_NEW_PRIVS, 1);
	report->limits = set_limits(wants->descriptors);
	report->landlock = report->no_new_privs ? report->no_new_privs : confine_files(wants, report);
	report->seccomp = report->no_new_privs ? report->no_new_privs : filter_calls(wants, report);
	return fatal(report);
}
