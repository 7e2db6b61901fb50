/* SPDX-License-Identifier: MIT */
#include "emit/ladder.h"

#include "emit/monitor.h"
#include "loader/machine.h"
#include "loader/sys.h"

/* ---- the probe */

static int probe_open(struct monitor *monitor, struct probe_request *request, struct failure *f)
{
	struct probe *probe = &monitor->probe;
	int error = probe_load(probe, request, f);

	if (error)
		return error;
	monitor->capacity = probe->capacity;
	monitor->view = (struct tasks_view){
		.slots = probe->slots,
		.marks = probe->marks,
		.probe = probe,
		.running = probe->running,
		.cpus = probe->cpus,
		.counters = probe->counters,
		.passes = &probe->passes,
	};
	return 0;
}

static int probe_begin(struct monitor *monitor)
{
	struct probe *probe = &monitor->probe;
	int error = probe_begin_scan(probe), unmapped = probe->unmapped;

	probe->unmapped = 0;
	monitor->view.readable = probe_readable(probe);
	monitor->view.epoch = (uint8_t)probe->epoch->now;
	monitor->view.all = probe->passed;
	monitor->view.whole = unmapped != 0;	/* what could not be read may not be marked any more */
	probe->passed = false;
	return error ? error : probe->unmapped ? probe->unmapped : unmapped;
}

/* What may have lost its task, as the scan has found. */
static void probe_complete(struct monitor *monitor)
{
	const struct tasks *tasks = &monitor->tasks;

	for (uint32_t i = 0; i < tasks->stale_count; i++)
		probe_reclaim(&monitor->probe, tasks->stale[i].number, tasks->stale[i].generation,
			      tasks->stale[i].stamp);
	if (tasks->stale_count == TASKS_STALE_MAX)	/* there may be more: the next scan reads all again */
		monitor->probe.passed = true;
}

static void probe_renew(struct monitor *monitor)
{
	probe_refresh(&monitor->probe);
}

static void probe_close(struct monitor *monitor)
{
	probe_unload(&monitor->probe);
}

/* ---- /proc */

static int walk_open(struct monitor *monitor, struct probe_request *request, struct failure *f)
{
	struct proc *proc = &monitor->proc;
	uint32_t capacity = request->slots ? request->slots : machine_default_slots();
	size_t size = proc_memory(capacity);
	void *memory = sys_mmap(NULL, size, SYS_PROT_READ | SYS_PROT_WRITE,
				SYS_MAP_PRIVATE | SYS_MAP_ANONYMOUS | SYS_MAP_NORESERVE, -1, 0);
	int error = sys_failed(memory), root;

	if (error)
		return fail(f, error, "reserve memory for", "the processes", "try a smaller --max-tasks");
	root = sys_open("/", SYS_O_RDONLY);
	error = root < 0 ? root : proc_open(proc, root, memory, capacity);
	if (root >= 0)
		sys_close(root);
	if (error) {
		sys_munmap(memory, size);
		return fail(f, error, "open", root < 0 ? "/" : "/proc", root >= 0 && error == -SYS_ENOENT ? "is it mounted?" : NULL);
	}
	monitor->capacity = capacity;
	monitor->view = (struct tasks_view){ .slots = proc->slot, .counters = &proc->counters };
	return 0;
}

static int walk_begin(struct monitor *monitor)
{
	struct proc *proc = &monitor->proc;
	struct sys_timespec boot = { 0 };

	sys_clock_gettime(SYS_CLOCK_BOOTTIME, &boot);
	proc_walk(proc, (uint64_t)boot.seconds * 1000000000 + (uint64_t)boot.nanoseconds);
	monitor->view.readable = proc->high;
	return 0;
}

static void walk_complete(struct monitor *monitor)
{
	proc_complete(&monitor->proc, &monitor->sample);
}

static void walk_renew(struct monitor *monitor)
{
	proc_refresh(&monitor->proc);
}

static void walk_close(struct monitor *monitor)
{
	proc_close(&monitor->proc);
	sys_munmap(monitor->proc.slot, proc_memory(monitor->proc.capacity));
}

/* ---- the ladder */

static const struct rung ladder[LADDER_RUNGS] = {
	{ ATTACH_BTF, SOURCE_BTF, PATH_BTF, "probe", false,
	  probe_open, probe_begin, probe_complete, probe_renew, probe_close },
	{ ATTACH_RAW, SOURCE_RAW, PATH_RAW, "probe", false,
	  probe_open, probe_begin, probe_complete, probe_renew, probe_close },
	{ ATTACH_PERF, SOURCE_PERF, PATH_PERF, "probe", false,
	  probe_open, probe_begin, probe_complete, probe_renew, probe_close },
	{ ATTACH_PROC, SOURCE_PROC, PATHS, "walk", true,
	  walk_open, walk_begin, walk_complete, walk_renew, walk_close },
};

/* Who names a probe object, or asks what the probe costs, is not served by less than a probe. */
static bool is_wanted(const struct rung *rung, const struct options *options)
{
	if (options->attach != ATTACH_AUTO)
		return options->attach == rung->attach;
	return rung->attach != ATTACH_PROC || !(options->probe_path || options->action == ACTION_PROFILE);
}

int ladder_climb(struct monitor *monitor, const struct options *options, struct probe_request *request,
		 struct failure *f)
{
	int error = -SYS_ENODEV;

	for (unsigned i = 0; i < LADDER_RUNGS; i++) {
		struct refusal *refusal = &monitor->refused[monitor->refusals];

		if (!is_wanted(&ladder[i], options))
			continue;
		refusal->rung = &ladder[i];
		request->path = ladder[i].path;
		error = ladder[i].open(monitor, request, &refusal->why);
		if (!error) {
			monitor->rung = &ladder[i];
			return 0;
		}
		monitor->refusals++;
	}
	if (monitor->refusals)
		*f = monitor->refused[0].why;
	return error;
}

void ladder_reason(const struct monitor *monitor, char *reason, size_t size)
{
	struct text t = text_over(reason, size - 1);

	if (monitor->refusals)
		failure_short(&monitor->refused[0].why, &t);
	reason[t.used] = '\0';
}
