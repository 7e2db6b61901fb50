/* SPDX-License-Identifier: MIT */
#include "emit/monitor.h"

#include "loader/start.h"
#include "loader/sys.h"

enum { NS_PER_MS = 1000000, MIN_CPU_PPM = PPM / 100 };

static const uint64_t refresh_every_ns = 10ull * 1000 * NS_PER_MS;
static const uint64_t refresh_swapping_ns = 1000ull * NS_PER_MS;	/* at the most, while pages are swapped out */
static const uint64_t min_rss_bytes = 250ull << 20, min_io_bytes = 1ull << 20;

static uint64_t clock_ns(int clock)
{
	struct sys_timespec now = { 0 };

	sys_clock_gettime(clock, &now);
	return (uint64_t)now.seconds * 1000 * NS_PER_MS + (uint64_t)now.nanoseconds;
}

uint64_t monitor_clock(void)
{
	return clock_ns(SYS_CLOCK_MONOTONIC);
}

/* What is too small to list, where the user did not say: 1% of all CPUs, 250M or 5% of memory, 1M per second. */
static void set_limits(struct monitor *monitor, const struct options *options)
{
	struct tasks_options *t = &monitor->tasks_options;
	struct sys_sysinfo info = { 0 };
	uint64_t part;

	sys_sysinfo(&info);
	part = info.totalram * (info.mem_unit ? info.mem_unit : 1) / 20;
	t->top_rows = options->top_rows;
	t->min_cpu_ppm = options->min_cpu_set ? options->min_cpu_ppm : MIN_CPU_PPM;
	t->min_rss_bytes = options->min_memory_set ? options->min_memory_bytes :
			   part && part < min_rss_bytes ? part : min_rss_bytes;
	t->min_io_bytes_per_second = options->min_io_set ? options->min_io_bytes_per_second : min_io_bytes;
	t->page_size = start_facts()->page_size;
	t->no_kernel = !options->kernel_threads;
}

static int open_tasks(struct monitor *monitor, struct failure *f)
{
	size_t size = tasks_memory(monitor->probe.capacity, monitor->probe.cpus);
	void *memory = sys_mmap(NULL, size, SYS_PROT_READ | SYS_PROT_WRITE,
				SYS_MAP_PRIVATE | SYS_MAP_ANONYMOUS | SYS_MAP_NORESERVE, -1, 0);
	int error = sys_failed(memory);

	if (error)
		return fail(f, error, "reserve memory for", "the tasks", "try a smaller --max-tasks");
	tasks_open(&monitor->tasks, memory, monitor->probe.capacity, monitor->probe.cpus);
	return 0;
}

static const struct rung {
	enum attach attach;
	enum source source;
} ladder[PATHS] = {
	[PATH_BTF] = { ATTACH_BTF, SOURCE_BTF },
	[PATH_RAW] = { ATTACH_RAW, SOURCE_RAW },
	[PATH_PERF] = { ATTACH_PERF, SOURCE_PERF },
};

/* The first path that the options allow and that works; why the others did not stays in monitor->refused. */
static int climb(struct monitor *monitor, const struct options *options, struct probe_request *request,
		 struct failure *f)
{
	int error = -SYS_ENODEV;
	unsigned first = PATHS;

	for (unsigned path = 0; path < PATHS; path++) {
		if (options->attach != ATTACH_AUTO && options->attach != ladder[path].attach)
			continue;
		request->path = path;
		error = probe_load(&monitor->probe, request, &monitor->refused[path]);
		if (!error) {
			monitor->sample.source = ladder[path].source;
			return 0;
		}
		if (first == PATHS)
			first = path;
	}
	/* of the best that was tried: those after it want more */
	*f = monitor->refused[first];
	return error;
}

int monitor_open(struct monitor *monitor, const struct options *options, struct probe_request *request,
		 struct failure *f)
{
	int root, error;

	set_limits(monitor, options);
	error = climb(monitor, options, request, f);
	if (!error)
		error = open_tasks(monitor, f);
	if (error)
		return error;
	root = sys_open("/", SYS_O_RDONLY);
	sources_open(&monitor->sources, root, start_facts()->page_size);
	if (root >= 0)
		sys_close(root);
	monitor->sample.interval_ms = options->interval_ms;
	monitor->refreshed_ns = monitor_clock();
	/* the number of CPUs is wanted before the first scan */
	system_read(&monitor->sources.system, &monitor->sample);
	return 0;
}

static void end_step(struct monitor *monitor, unsigned step, uint64_t *since_ns)
{
	uint64_t now_ns;

	if (!monitor->timed)
		return;
	now_ns = monitor_clock();
	monitor->step_ns[step] = now_ns - *since_ns;
	*since_ns = now_ns;
}

/* Sleepers' RSS shrinks under reclaim while no switch records it. */
static void refresh_if_due(struct monitor *monitor, uint64_t now_ns)
{
	uint64_t every_ns = monitor->sources.memory.swapped_out ? refresh_swapping_ns : refresh_every_ns;

	if (now_ns - monitor->refreshed_ns < every_ns)
		return;
	probe_refresh(&monitor->probe);
	monitor->refreshed_ns = now_ns;
}

/* What the scan has found to have lost its task. */
static void reclaim_stale(struct monitor *monitor)
{
	const struct tasks *tasks = &monitor->tasks;

	for (uint32_t i = 0; i < tasks->stale_count; i++)
		probe_reclaim(&monitor->probe, tasks->stale[i].number, tasks->stale[i].generation,
			      tasks->stale[i].stamp);
}

static void begin_sample(struct monitor *monitor, uint64_t now_ns)
{
	struct sample *s = &monitor->sample;

	s->known = 0;
	s->throttled_count = 0;
	for (unsigned i = 0; i < PRESSURE_KINDS; i++)
		s->pressure[i].known = false;
	s->elapsed_ns = monitor->sampled_ns ? now_ns - monitor->sampled_ns : 0;
	s->time_unix_ms = clock_ns(SYS_CLOCK_REALTIME) / NS_PER_MS;
	if (s->elapsed_ns)
		s->known |= KNOWS_RATES;
	monitor->sampled_ns = now_ns;
}

void monitor_take(struct monitor *monitor)
{
	uint64_t began_ns = monitor_clock(), step_ns = began_ns, now_ns;
	struct probe *probe = &monitor->probe;
	struct tasks_view view = {
		.slots = probe->slots,
		.running = probe->running,
		.cpus = probe->cpus,
		.counters = probe->counters,
		.passes = &probe->passes,
	};

	refresh_if_due(monitor, began_ns);
	end_step(monitor, STEP_REFRESH, &step_ns);
	probe_begin_scan(probe);
	now_ns = monitor_clock();
	end_step(monitor, STEP_PROBE, &step_ns);
	begin_sample(monitor, now_ns);
	view.readable = probe_readable(probe);
	tasks_scan(&monitor->tasks, &view, &monitor->tasks_options, now_ns, &monitor->sample);
	reclaim_stale(monitor);
	end_step(monitor, STEP_SCAN, &step_ns);
	for (unsigned i = 0; i < SOURCES_COUNT; i++) {
		sources_table[i].read(&monitor->sources, &monitor->sample);
		end_step(monitor, STEP_SOURCES + i, &step_ns);
	}
	monitor->sample.cost_ns = monitor_clock() - began_ns;
}

const char *monitor_step_name(unsigned step)
{
	static const char *const names[STEP_SOURCES] = {
		[STEP_PROBE] = "probe", [STEP_REFRESH] = "refresh", [STEP_SCAN] = "scan",
	};

	return step < STEP_SOURCES ? names[step] : sources_table[step - STEP_SOURCES].name;
}
