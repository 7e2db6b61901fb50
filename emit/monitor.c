/* SPDX-License-Identifier: MIT */
#include "emit/monitor.h"

#include "loader/start.h"
#include "loader/sys.h"

enum { NS_PER_MS = 1000000, MIN_CPU_PPM = PPM / 100, READINGS_MAX = 8 };

static const uint64_t refresh_every_ns = 10ull * 1000 * NS_PER_MS;
static const uint64_t refresh_soon_ns = 1000ull * NS_PER_MS;
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
	size_t size = tasks_memory(monitor->capacity, monitor->view.cpus);
	void *memory = sys_mmap(NULL, size, SYS_PROT_READ | SYS_PROT_WRITE,
				SYS_MAP_PRIVATE | SYS_MAP_ANONYMOUS | SYS_MAP_NORESERVE, -1, 0);
	int error = sys_failed(memory);

	if (error)
		return fail(f, error, "reserve memory for", "the tasks", "try a smaller --max-tasks");
	tasks_open(&monitor->tasks, memory, monitor->capacity, monitor->view.cpus);
	return 0;
}

int monitor_open(struct monitor *monitor, const struct options *options, struct probe_request *request,
		 struct failure *f)
{
	int root, error;

	set_limits(monitor, options);
	error = ladder_climb(monitor, options, request, f);
	if (!error)
		error = open_tasks(monitor, f);
	if (error)
		return error;
	root = sys_open("/", SYS_O_RDONLY);
	if (root < 0)
		return fail(f, root, "open", "/", NULL);	/* nothing could be read, not even how many CPUs there are */
	sources_open(&monitor->sources, root, start_facts()->page_size, &options->sensors, monitor_clock);
	sys_close(root);
	monitor->sample.source = monitor->rung->source;
	ladder_reason(monitor, monitor->sample.reason, sizeof monitor->sample.reason);
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

/*
 * A pass over all tasks: sleepers' RSS shrinks under reclaim while no switch records it, and a zombie whose end was not
 * seen is none any more. So more often while pages are swapped out, or for a zombie that no pass has met yet; and while
 * tasks wait for a slot though some are free: a sleeper gets it by a pass only, which finds a third of the free ones.
 * Returns whether there was one.
 */
static bool refresh_if_due(struct monitor *monitor, uint64_t now_ns)
{
	const struct sample *last = &monitor->sample;
	bool soon = monitor->sources.memory.swapped_out || monitor->tasks.zombie_since_ns > monitor->refreshed_ns ||
		    (last->without_slot && last->slots_used < last->slots);

	if (now_ns - monitor->refreshed_ns < (soon ? refresh_soon_ns : refresh_every_ns))
		return false;
	monitor->rung->refresh(monitor);
	monitor->refreshed_ns = now_ns;
	return true;
}

static void begin_sample(struct monitor *monitor, uint64_t now_ns, int error)
{
	struct sample *s = &monitor->sample;

	s->known = 0;
	s->throttled_count = s->gpu_count = s->battery_count = 0;
	for (unsigned i = 0; i < PRESSURE_KINDS; i++)
		s->pressure[i].known = false;
	s->elapsed_ns = monitor->sampled_ns ? now_ns - monitor->sampled_ns : 0;
	/* what was not seen in one reading comes in the next, which then has more than its interval's */
	if (s->elapsed_ns && !error && !monitor->incomplete)
		s->known |= KNOWS_RATES;
	monitor->incomplete = error;
	monitor->sampled_ns = now_ns;
}

/*
 * Reads the tasks, and again where that was interrupted for so long that no moment can be named at which it was so: on
 * a machine with hundreds of runnable tasks we may lose the CPU for a second in the middle. now_ns: when that begins.
 * Returns when it was; time_unix_ms is of that moment. *error: 0, or -errno where not all was there to be read.
 */
static uint64_t read_tasks(struct monitor *monitor, uint64_t now_ns, uint64_t *step_ns, int *error)
{
	uint64_t limit_ns = monitor->sample.interval_ms * NS_PER_MS / 100, read_ns;

	if (limit_ns < NS_PER_MS)
		limit_ns = NS_PER_MS;
	for (unsigned tries = 1;; tries++) {
		monitor->sample.time_unix_ms = clock_ns(SYS_CLOCK_REALTIME) / NS_PER_MS;
		*error = monitor->rung->begin(monitor);
		end_step(monitor, STEP_TASKS, step_ns);
		tasks_read(&monitor->tasks, &monitor->view, &monitor->tasks_options, &monitor->sample);
		end_step(monitor, STEP_READ, step_ns);
		if (monitor->rung->slow || tries == READINGS_MAX)
			return now_ns;
		read_ns = monitor_clock();
		if (read_ns - now_ns <= limit_ns)
			return now_ns;
		now_ns = read_ns;
	}
}

static void read_source(struct monitor *monitor, unsigned source, uint64_t *step_ns)
{
	sources_table[source].read(&monitor->sources, &monitor->sample);
	end_step(monitor, STEP_SOURCES + source, step_ns);
}

/* The CPUs that the rates are of: one that went within the interval has worked for a part of it. */
static void read_cpus(struct monitor *monitor, uint64_t *step_ns)
{
	uint32_t online;

	read_source(monitor, 0, step_ns);
	online = monitor->sample.cpus;
	if (monitor->sample.cpus < monitor->cpus)
		monitor->sample.cpus = monitor->cpus;
	monitor->cpus = online;
}

void monitor_take(struct monitor *monitor)
{
	uint64_t began_ns = monitor_clock(), step_ns = began_ns, now_ns = began_ns;
	int error;

	if (refresh_if_due(monitor, began_ns))
		now_ns = monitor_clock();
	end_step(monitor, STEP_REFRESH, &step_ns);
	now_ns = read_tasks(monitor, now_ns, &step_ns, &error);
	begin_sample(monitor, now_ns, error);
	read_cpus(monitor, &step_ns);
	tasks_conclude(&monitor->tasks, &monitor->view, &monitor->tasks_options, now_ns, &monitor->sample);
	monitor->rung->complete(monitor);
	end_step(monitor, STEP_LISTS, &step_ns);
	sources_begin(&monitor->sources);
	for (unsigned i = 1; i < SOURCES_COUNT; i++)
		read_source(monitor, i, &step_ns);
	history_add(&monitor->history, &monitor->sample);
	monitor->sample.cost_ns = monitor_clock() - began_ns;
}

const char *monitor_step_name(const struct monitor *monitor, unsigned step)
{
	switch (step) {
	case STEP_TASKS: return monitor->rung->step;
	case STEP_REFRESH: return "refresh";
	case STEP_READ: return "scan";
	case STEP_LISTS: return "lists";
	default: return sources_table[step - STEP_SOURCES].name;
	}
}
