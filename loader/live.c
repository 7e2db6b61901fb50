/* SPDX-License-Identifier: MIT */
#include "loader/live.h"

#include "loader/bpf.h"
#include "loader/start.h"
#include "loader/sys.h"
#include "loader/tracepoint.h"

enum {
	READS_MAX = 4096,		/* of one pass of the iterator */
	SAMPLES_MAX = 8,		/* with 140,000 switches a second one in 25 meets a switch at work */
};

static const uint64_t unseen_pass_ns = 250000000;

void probe_clear(struct probe *probe)
{
	*probe = (struct probe){ .slots_map = -1, .sample = -1, .seed = -1, .reclaim = -1 };
	for (unsigned i = 0; i < PROBE_LINKS_MAX; i++)
		probe->link[i] = -1;
}

/* Bytes of the slot array, which slots and marks lie in. 0 or -errno. */
static int map_piece(struct probe *probe, uint64_t at, uint64_t size)
{
	return sys_failed(sys_mmap((uint8_t *)(uintptr_t)probe->slots + at, size, SYS_PROT_READ,
				   SYS_MAP_SHARED | SYS_MAP_FIXED, probe->slots_map, (int64_t)at));
}

uint32_t probe_readable(struct probe *probe)
{
	uint64_t high = __atomic_load_n(&probe->counters->high, __ATOMIC_ACQUIRE);
	uint32_t wanted = high < probe->capacity ? (uint32_t)high : probe->capacity, page = (uint32_t)start_facts()->page_size;

	while (!probe->unmapped && probe->mapped_marks < wanted) {
		probe->unmapped = map_piece(probe, (uint64_t)probe->capacity * sizeof(struct slot) + probe->mapped_marks, page);
		if (!probe->unmapped)
			probe->mapped_marks += page;
	}
	return wanted < probe->mapped_marks ? wanted : probe->mapped_marks;
}

/* The piece's bytes in the slot array. */
static uint64_t piece_range(const struct probe *probe, uint32_t number, uint64_t *size)
{
	uint64_t at = (uint64_t)(number / probe->piece) * probe->piece, left = probe->capacity - at;

	*size = (left < probe->piece ? left : probe->piece) * sizeof(struct slot);
	return at * sizeof(struct slot);
}

bool probe_hold(struct probe *probe, uint32_t number)
{
	uint32_t piece = number / probe->piece;
	uint64_t size, at = piece_range(probe, number, &size);

	if (probe_holds(probe, number))
		return true;
	if (!probe->unmapped)
		probe->unmapped = map_piece(probe, at, size);
	if (probe->unmapped)
		return false;
	probe->held[piece / 64] |= 1ull << piece % 64;
	return true;
}

void probe_release(struct probe *probe, uint32_t number)
{
	uint32_t piece = number / probe->piece;
	uint64_t size, at = piece_range(probe, number, &size);

	probe->held[piece / 64] &= ~(1ull << piece % 64);
	sys_madvise((uint8_t *)(uintptr_t)probe->slots + at, size, SYS_MADV_DONTNEED);
}

void drop_pages(const void *begin, const void *end)
{
	uintptr_t page = start_facts()->page_size, from = ((uintptr_t)begin + page - 1) & -page, to = (uintptr_t)end & -page;

	if (from < to)
		sys_madvise((void *)from, to - from, SYS_MADV_DONTNEED);
}

/* The sample program, until it meets no switch at work. unseen: a pass is wanted. */
static int run_sample(struct probe *probe, bool *unseen)
{
	bool changing = true;
	int error = 0;

	*unseen = false;
	for (unsigned tries = 0; tries < SAMPLES_MAX && changing && !error; tries++) {
		for (uint64_t first = 0; !error && first < probe->cpus; first += SAMPLE_STEP)
			error = bpf_program_test_run(probe->sample, &first, sizeof first);
		changing = false;
		for (uint32_t i = 0; i < probe->cpus; i++) {
			changing |= probe->running[i].changing != 0;
			*unseen |= probe->running[i].unseen != 0;
		}
	}
	return error;
}

/* Not more often than a person could tell, whatever the interval: a pass meets every task. */
static bool may_pass(struct probe *probe)
{
	struct sys_timespec now = { 0 };
	uint64_t now_ns;

	sys_clock_gettime(SYS_CLOCK_MONOTONIC, &now);
	now_ns = (uint64_t)now.seconds * 1000000000 + (uint64_t)now.nanoseconds;
	if (now_ns - probe->passed_ns < unseen_pass_ns)
		return false;
	probe->passed_ns = now_ns;
	return true;
}

int probe_begin_scan(struct probe *probe)
{
	bool unseen;
	int error;

	__atomic_fetch_add(&probe->epoch->now, 1, __ATOMIC_SEQ_CST);
	error = run_sample(probe, &unseen);
	if (error || !unseen || !may_pass(probe))
		return error;
	probe_refresh(probe);
	return run_sample(probe, &unseen);
}

static int run_pass(struct probe *probe)
{
	int fd = bpf_iter_create(probe->seed);
	char unused[64];
	long result = -SYS_EAGAIN;

	if (fd < 0)
		return fd;
	for (unsigned i = 0; i < READS_MAX && (result == -SYS_EAGAIN || result > 0); i++)
		result = sys_read(fd, unused, sizeof unused);
	sys_close(fd);
	return result < 0 ? (int)result : 0;
}

int probe_refresh(struct probe *probe)
{
	struct probe_passes *passes = &probe->passes;
	/* of the last sample, which was before the pass */
	uint32_t began = (uint32_t)__atomic_load_n(&probe->counters->jiffies, __ATOMIC_RELAXED);
	uint64_t met = __atomic_load_n(&probe->counters->met_without, __ATOMIC_RELAXED);
	int error = run_pass(probe);
	uint64_t complete = __atomic_load_n(&probe->counters->passes, __ATOMIC_RELAXED);
	bool met_all = !error && complete != passes->complete;

	passes->twice = met_all && passes->known && probe->path != PATH_BTF;
	passes->known = met_all && began;
	passes->before = passes->last;
	passes->last = began;
	if (met_all) {
		passes->without = probe->counters->met_without - met;
		passes->counted = probe->counters->dropped - probe->counters->regained;
	}
	passes->complete = complete;
	probe->passed = true;
	return error;
}

int probe_reclaim(struct probe *probe, uint32_t number, uint32_t generation, uint32_t stamp)
{
	const uint64_t arguments[] = { (number + 1) | (uint64_t)generation << 32, stamp };

	return bpf_program_test_run(probe->reclaim, arguments, sizeof arguments);
}

/* r0 = 0; exit */
int probe_attach_empty(const struct probe *probe, int *program)
{
	static const struct instruction code[] = { { .code = 0xb7 }, { .code = 0x95 } };
	static const uint32_t types[PATHS] = {
		[PATH_BTF] = BPF_PROG_TRACING,
		[PATH_RAW] = BPF_PROG_RAW_TRACEPOINT,
		[PATH_PERF] = BPF_PROG_TRACEPOINT,
	};
	struct bpf_program_request request = {
		.name = "empty",
		.license = "Dual MIT/GPL",
		.code = code,
		.count = 2,
		.type = types[probe->path],
	};

	if (probe->path == PATH_BTF) {
		request.attach_type = BPF_TRACE_RAW_TP;
		request.attach_btf_id = (uint32_t)probe->switch_id;
	}
	*program = bpf_program_load(&request);
	if (*program < 0)
		return *program;
	if (probe->path == PATH_PERF)
		return tracepoint_attach(probe->switch_id, *program);
	return bpf_raw_tracepoint_open(*program, probe->path == PATH_RAW ? "sched_switch" : NULL);
}

void probe_seal(struct probe *probe)
{
	for (uint32_t i = 0; i < probe->programs; i++)
		if (probe->program[i] != probe->sample && probe->program[i] != probe->reclaim)
			sys_close_once(&probe->program[i]);
	probe->programs = 0;
}

static void unmap(const void *memory, size_t size)
{
	if (memory)
		sys_munmap((void *)(uintptr_t)memory, size);
}

void probe_unload(struct probe *probe)
{
	for (unsigned i = 0; i < PROBE_LINKS_MAX; i++)
		sys_close_once(&probe->link[i]);
	sys_close_once(&probe->seed);
	probe_seal(probe);
	sys_close_once(&probe->sample);
	sys_close_once(&probe->reclaim);
	sys_close_once(&probe->slots_map);
	unmap(probe->slots, probe_reserved(probe));
	unmap(probe->running, probe->cpus * sizeof(struct running));
	unmap(probe->counters, sizeof(struct counters));
	unmap(probe->epoch, sizeof(struct epoch));
	probe_clear(probe);
}
