/* SPDX-License-Identifier: MIT */
/*
 * The way into the kernel and out of it, with a kernel that refuses any step (fake.h: `faults`): bpf(2), mmap and the like
 * are answered here. Whatever fails, nothing is left behind; what works holds what it says. Files that no machine has:
 * `request` (numbers: which way, slots, of which kernel the types, what happens afterwards), `counters` (what the probe
 * writes).
 */
#include "test/fuzz/fake.h"

#include "emit/monitor.h"
#include "loader/bpf.h"
#include "loader/bpf_attr.h"
#include "loader/sys.h"
#include "test/fuzz/own.h"

enum { LOG_SIZE = 4096, ROUNDS = 3, MAPPED_MAX = 64, TASK_BYTES = 2048 };

static struct {
	void *at;
	size_t size;
} mapped[MAPPED_MAX];
static unsigned mappings;
static struct feed written;	/* what the probe writes */
static void *shared[MAPPED_MAX];
static size_t shared_size[MAPPED_MAX];
static unsigned shares;

/* ---- memory */

static long map(const long a[6])
{
	bool fixed = a[3] & SYS_MAP_FIXED, anonymous = a[3] & SYS_MAP_ANONYMOUS;
	long flags = (a[3] & SYS_MAP_FIXED) | SYS_MAP_PRIVATE | SYS_MAP_ANONYMOUS | SYS_MAP_NORESERVE, at;

	if (fixed) {	/* within what was reserved */
		bool inside = false;

		for (unsigned i = 0; i < mappings; i++)
			inside |= (uintptr_t)a[0] >= (uintptr_t)mapped[i].at &&
				  (uintptr_t)a[0] + (size_t)a[1] <= (uintptr_t)mapped[i].at + mapped[i].size;
		MUST(inside);
	}
	if (!anonymous && !(a[3] & SYS_MAP_SHARED))
		return -SYS_ENODEV;	/* the kernel's BTF before 6.16 */
	MUST(anonymous || (a[4] >= FAKE_FD_FIRST && fake.open[a[4] - FAKE_FD_FIRST].used));
	at = real_sys_call(NR_mmap, a[0], a[1], SYS_PROT_READ | SYS_PROT_WRITE, flags, -1, 0);
	MUST(at > 0 || at < -4096);
	if (!anonymous && shares < MAPPED_MAX) {
		shared[shares] = (void *)at;
		shared_size[shares++] = (size_t)a[1];
	}
	if (fixed)
		return at;
	MUST(mappings < MAPPED_MAX);
	mapped[mappings].at = (void *)at;
	mapped[mappings++].size = (size_t)a[1];
	return at;
}

static void unmap(void *at, size_t size)
{
	unsigned i = 0;

	while (i < mappings && mapped[i].at != at)
		i++;
	/* what is unmapped has been mapped, and is unmapped whole */
	MUST(i < mappings && (mapped[i].size + 4095) / 4096 == (size + 4095) / 4096);
	mapped[i] = mapped[--mappings];
	for (unsigned k = shares; k--;)
		if ((uintptr_t)shared[k] >= (uintptr_t)at && (uintptr_t)shared[k] < (uintptr_t)at + size) {
			shared[k] = shared[--shares];
			shared_size[k] = shared_size[shares];
		}
	real_sys_call(NR_munmap, (long)at, (long)size, 0, 0, 0, 0);
}

/* ---- bpf(2) */

static bool is_open(long fd)
{
	return fd >= FAKE_FD_FIRST && fd < FAKE_FD_FIRST + FAKE_OPEN_MAX && fake.open[fd - FAKE_FD_FIRST].used;
}

/* No instruction refers to a map that is not there. */
static void check_program(const struct attr_prog_load *attr)
{
	const struct instruction *code = (const struct instruction *)attr->insns;

	MUST(attr->insn_cnt && attr->insn_cnt <= 65536 && strlen((const char *)attr->license));
	for (uint32_t i = 0; i < attr->insn_cnt; i++) {
		if (code[i].code != 0x18)
			continue;
		if (code[i].registers >> 4 == 1 || code[i].registers >> 4 == 2)
			MUST(is_open(code[i].immediate));
		i++;
	}
	MUST(memchr(attr->prog_name, 0, sizeof attr->prog_name));
	if (attr->log_buf && attr->log_size)
		snprintf((char *)attr->log_buf, attr->log_size, "first\n1: (18) r1 = 0xffff888012345678\nthe verifier says no\n");
}

static void write_shared(void)
{
	for (unsigned i = 0; i < shares; i++) {
		uint8_t what = feed_byte(&written);

		if (what & 1)
			feed_bytes(&written, shared[i], shared_size[i] < TASK_BYTES ? shared_size[i] : TASK_BYTES);
		else if (what & 2 && shared_size[i] >= 8)
			*(uint64_t *)shared[i] = feed_number(&written) % 100000;
	}
}

static long bpf(const long a[6])
{
	union {
		struct attr_map_create map;
		struct attr_prog_load program;
		struct attr_info info;
		uint8_t bytes[256];
	} attr = { .bytes = { 0 } };
	long error;

	MUST((size_t)a[2] <= sizeof attr);
	memcpy(&attr, (const void *)a[1], (size_t)a[2]);
	if (a[0] == BPF_PROG_LOAD)
		check_program(&attr.program);
	if (a[0] == BPF_MAP_CREATE)
		MUST(attr.map.value_size && memchr(attr.map.map_name, 0, sizeof attr.map.map_name));
	error = fake_fault();
	if (error)
		return error;
	switch (a[0]) {
	case BPF_PROG_TEST_RUN: write_shared(); return 0;
	case BPF_MAP_UPDATE_ELEM:
	case BPF_MAP_FREEZE: return 0;
	case BPF_OBJ_GET_INFO_BY_FD: return 0;
	default: return fake_open_node(fake_find("bpf"));
	}
}

static bool answer(long number, const long a[6], long *result)
{
	switch (number) {
	case NR_bpf: *result = bpf(a); return true;
	case NR_mmap:
		*result = fake_fault();
		if (!*result)
			*result = map(a);
		return true;
	case NR_munmap: unmap((void *)a[0], (size_t)a[1]); *result = 0; return true;
	case NR_prlimit64:
		*result = fake_fault();
		if (!*result && a[3])
			*(struct sys_rlimit *)a[3] = (struct sys_rlimit){ 65536, 65536 };
		return true;
	case NR_capget:
		memset((void *)a[1], feed_byte(&written), sizeof(struct sys_capability));
		*result = 0;
		return true;
	case NR_perf_event_open:
	case NR_fsopen:
	case NR_fsmount:
		*result = fake_fault();
		if (!*result)
			*result = fake_open_node(fake_find("bpf"));
		return true;
	case NR_fsconfig:
	case NR_ioctl: *result = fake_fault(); return true;
	default: return false;
	}
}

/* ---- a life of it */

static void live(struct monitor *monitor, uint8_t how)
{
	const struct tasks_options options = { .top_rows = 5, .page_size = 4096 };
	struct tasks *tasks = calloc(1, sizeof *tasks);
	void *memory = calloc(1, tasks_memory(monitor->capacity, monitor->view.cpus));
	struct sample s = { .cpus = 2, .elapsed_ns = 1000000000 };
	int program = -1, link;

	MUST(tasks && memory && monitor->capacity && monitor->rung);
	tasks_open(tasks, memory, monitor->capacity, monitor->view.cpus);
	for (unsigned i = 0; i < ROUNDS; i++) {
		if (monitor->rung->begin(monitor))	/* what is not up to date is not read */
			continue;
		MUST(monitor->view.readable <= monitor->capacity);
		tasks_read(tasks, &monitor->view, &options, &s);
		s.known = i ? KNOWS_RATES : 0;
		tasks_conclude(tasks, &monitor->view, &options, fake.now_ns, &s);
		monitor->tasks.stale_count = tasks->stale_count;
		memcpy(monitor->tasks.stale, tasks->stale, sizeof tasks->stale);
		monitor->rung->complete(monitor);
		if (how & 1)
			monitor->rung->refresh(monitor);
	}
	if (how & 2 && monitor->rung->path != PATHS) {
		link = probe_attach_empty(&monitor->probe, &program);
		if (link >= 0)
			sys_close(link);
		if (program >= 0)
			sys_close(program);
	}
	if (how & 4 && monitor->rung->path != PATHS)
		probe_seal(&monitor->probe);
	free(memory);
	free(tasks);
	monitor->rung->close(monitor);
}

static struct feed file_feed(const char *path)
{
	int node = fake_find(path);

	return node > 0 ? feed_over(fake.node[node].content, fake.node[node].size) : feed_over(NULL, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct monitor monitor;
	static char log[LOG_SIZE];
	struct feed feed = feed_over(data, size), wants;
	struct probe_request request = { .log = log, .log_size = sizeof log };
	struct options options = { .action = ACTION_RUN };
	struct failure f = { 0 };
	char reason[REASON_SIZE];
	uint8_t kernel, how;
	int error;

	memset(&monitor, 0, sizeof monitor);
	mappings = shares = 0;
	fake_begin();
	fake_part(&feed);
	fake_put("bpf", "", 0);
	wants = file_feed("request");
	written = file_feed("counters");
	options.attach = (enum attach)feed_upto(&wants, ATTACH_PROC);
	request.slots = (uint32_t)feed_upto(&wants, 8192);	/* 0: sized from the machine */
	if (request.slots && request.slots < 64)
		request.slots = 64;
	kernel = feed_byte(&wants);
	how = feed_byte(&wants);
	if (how & 8)
		request.log = NULL;
	if (how & 16)
		request.object = own_object();
	if (!(how & 32))
		fake_put("sys/kernel/btf/vmlinux", kernel_bytes(kernel).data, kernel_bytes(kernel).size);
	fake.more = answer;
	error = ladder_climb(&monitor, &options, &request, &f);
	MUST(request.log_used <= sizeof log && !memmem(log, request.log_used, "0xffff8", 7));
	ladder_reason(&monitor, reason, sizeof reason);
	MUST(memchr(reason, 0, sizeof reason));
	if (error)
		check_failure(&f);
	else
		live(&monitor, how);
	MUST(!fake.opens && !mappings);
	fake_end();
	return 0;
}
