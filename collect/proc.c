/* SPDX-License-Identifier: MIT */
/*
 * One walk, in outline:
 *
 * 1. The directory is listed, and the CPU clock of every process read. One whose clock stands still has not run:
 *    nothing of it can have changed but its RSS. One that ran for moments only is read in a later walk, when its turn
 *    comes. All others are read: stat, then io.
 * 2. A pid with another start time is another process: the old one is dead, the new one gets a slot of its own.
 * 3. Who was not listed is dead. Its slot stays as it is for the scan of this walk and is free from the next one on.
 *
 * The CPU clock of a process (clock_gettime(2) with an id made from its pid) counts all its threads, the ended ones
 * too, in ns; stat says the same in ticks of 10 ms and takes eight times as long. It needs no
 * rights, but our pids must be those of this /proc: else ticks have to do.
 */
#include "collect/proc.h"

#include "collect/file.h"
#include "collect/parse.h"
#include "collect/top.h"
#include "loader/memory.h"
#include "loader/sys.h"

enum {
	PIDS_MAX = 1 << 22,		/* PID_MAX_LIMIT, include/linux/threads.h */
	PATH_SIZE = 16,			/* "4194304/stat" */
	STAT_SIZE = 1024,
	REFRESHES = 256,		/* sleepers read in one walk */
	BRIEF_NS = 1000000,		/* of CPU time: enough for a few MB of IO, or of new memory */
	BRIEF_TURNS = 4,		/* walks until what ran for less is read */
	FLAG_KTHREAD = 0x00200000,	/* PF_KTHREAD, include/linux/sched.h */
	AHEAD_MIN_TICKS = 2,		/* per CPU */
};

/* Only walks that follow each other as closely may leave it at the clock: turns are walks, not time. */
static const uint64_t brief_walk_ns = 2000000000;

size_t proc_memory(uint32_t capacity)
{
	return capacity * (sizeof(struct slot) + sizeof(struct proc_record));
}

/* Whether this /proc numbers processes as our system calls do, which it does not in a pid namespace of its own. */
static bool own_pids(int directory)
{
	char bytes[PATH_SIZE];
	long size = sys_readlink_at(directory, "self", bytes, sizeof bytes);
	int64_t pid;

	return size > 0 && parse_whole_i64(bytes, (size_t)size, &pid) && pid == sys_getpid();
}

int proc_open(struct proc *proc, int root, void *memory, uint32_t capacity)
{
	int error;

	proc->slot = memory;
	proc->record = (void *)(proc->slot + capacity);
	proc->capacity = capacity;
	proc->directory = file_open(root, "proc");
	proc->stat = file_open(root, "proc/stat");
	proc->loadavg = file_open(root, "proc/loadavg");
	proc->vmstat = file_open(root, "proc/vmstat");
	error = proc->directory < 0 ? proc->directory : proc->stat < 0 ? proc->stat : 0;
	if (error)
		proc_close(proc);
	else
		proc->clocks = own_pids(proc->directory);
	return error;
}

void proc_close(struct proc *proc)
{
	file_close(&proc->directory);
	file_close(&proc->stat);
	file_close(&proc->loadavg);
	file_close(&proc->vmstat);
}

void proc_refresh(struct proc *proc)
{
	proc->refreshed = proc->walk;
}

/* ---- files of a process */

/* Skips fields and the blank behind each. */
static bool skip_fields(struct parse *p, unsigned count)
{
	for (; count; p->at++) {
		if (p->at == p->end)
			return false;
		count -= *p->at == ' ';
	}
	return true;
}

/* For workers the kernel adds what they work on: "kworker/0:1-events" (wq_worker_comm(), kernel/workqueue.c). */
static size_t name_length(struct parse name, bool kernel)
{
	const char *from = name.at;
	bool numbered = false;

	if (kernel && parse_literal(&name, "kworker/")) {
		for (; name.at < name.end; name.at++) {
			if (numbered && (*name.at == '-' || *name.at == '+'))
				name.end = name.at;
			else
				numbered |= *name.at == ':';
		}
	}
	return (size_t)(name.end - from);
}

static void copy_name(struct proc_stat *stat, struct parse name)
{
	size_t length = name_length(name, stat->kernel);

	memset(stat->name, 0, sizeof stat->name);
	memcpy(stat->name, name.at, length < TASK_NAME_SIZE ? length : TASK_NAME_SIZE - 1);
}

/* The fields behind the name, which are numbers but for the first. */
static bool parse_fields(struct parse p, struct proc_stat *stat)
{
	uint64_t flags, user, system, threads;
	int64_t rss;

	if (!parse_literal(&p, " ") || parse_left(&p) < 2 || p.at[1] != ' ')
		return false;
	stat->state = *p.at;
	if (!skip_fields(&p, 6) || !parse_u64(&p, &flags) || !skip_fields(&p, 5) || !parse_u64(&p, &user) ||
	    !skip_fields(&p, 1) || !parse_u64(&p, &system) || !skip_fields(&p, 5) || !parse_u64(&p, &threads) ||
	    !skip_fields(&p, 2) || !parse_u64(&p, &stat->started) || !skip_fields(&p, 2) || !parse_i64(&p, &rss))
		return false;
	if (__builtin_add_overflow(user, system, &stat->cpu_ticks) || threads > PIDS_MAX)
		return false;
	stat->kernel = flags & FLAG_KTHREAD;
	stat->threads = (uint32_t)threads;
	stat->rss_pages = rss < 0 ? 0 : rss > UINT32_MAX ? UINT32_MAX : (uint32_t)rss;
	return true;
}

bool proc_parse_stat(const void *bytes, size_t size, struct proc_stat *stat)
{
	struct parse p = parse_over(bytes, size), name = p;
	struct proc_stat found = { 0 };
	uint64_t pid;

	if (!parse_u64(&p, &pid) || !parse_literal(&p, " ("))
		return false;
	name.at = p.at;
	while (name.end > name.at && name.end[-1] != ')')
		name.end--;
	if (name.end == name.at)
		return false;
	p.at = name.end--;
	if (!parse_fields(p, &found))
		return false;
	copy_name(&found, name);
	*stat = found;
	return true;
}

/* Reads "PID/FILE": the size, or -errno. */
static long read_file(const struct proc *proc, const char *pid, const char *file, char *bytes, size_t size)
{
	char path[PATH_SIZE];
	size_t at = 0;
	long length;
	int fd;

	while (*pid)
		path[at++] = *pid++;
	while (*file && at < sizeof path - 1)
		path[at++] = *file++;
	path[at] = '\0';
	fd = file_open(proc->directory, path);
	if (fd < 0)
		return fd;
	length = sys_read(fd, bytes, size);
	sys_close(fd);
	return length;
}

static int read_stat(const struct proc *proc, const char *pid, struct proc_stat *stat)
{
	char bytes[STAT_SIZE];
	long size = read_file(proc, pid, "/stat", bytes, sizeof bytes);

	if (size < 0)
		return (int)size;
	return proc_parse_stat(bytes, (size_t)size, stat) ? 0 : -SYS_EINVAL;
}

/* A line of "io" or vmstat: "read_bytes: 4096", "pgpgin 1". The key ends with its blank. */
static bool find_count(const struct parse *text, const char *key, uint64_t *count)
{
	struct parse rest;

	return parse_find(text, key, &rest) && parse_u64(&rest, count) && !parse_left(&rest);
}

static int read_io(const struct proc *proc, const char *pid, struct use *use)
{
	char bytes[STAT_SIZE];
	long size = read_file(proc, pid, "/io", bytes, sizeof bytes);
	struct parse text = parse_over(bytes, size > 0 ? (size_t)size : 0);

	if (size < 0)
		return (int)size;
	return find_count(&text, "read_bytes: ", &use->read_bytes) &&
			       find_count(&text, "write_bytes: ", &use->write_bytes) ?
		       0 :
		       -SYS_EINVAL;
}

/* False where the process is gone, or the kernel does not tell. */
static bool read_clock(const struct proc *proc, uint32_t pid, uint64_t *ns)
{
	enum { CPUCLOCK_SCHED = 2 };	/* include/linux/posix-timers_types.h: ~pid << 3 | which */
	struct sys_timespec now;

	if (!proc->clocks || sys_clock_gettime((int)(~pid << 3 | CPUCLOCK_SCHED), &now))
		return false;
	*ns = (uint64_t)now.seconds * 1000000000 + (uint64_t)now.nanoseconds;
	return true;
}

/* ---- records */

static uint32_t *bucket_of(struct proc *proc, uint32_t pid)
{
	return &proc->bucket[pid % PROC_BUCKETS];
}

static struct proc_record *find_record(struct proc *proc, uint32_t pid)
{
	for (uint32_t i = *bucket_of(proc, pid); i; i = proc->record[i - 1].next)
		if (proc->record[i - 1].pid == pid)
			return &proc->record[i - 1];
	return NULL;
}

static struct slot *slot_of(struct proc *proc, const struct proc_record *record)
{
	return &proc->slot[record - proc->record];
}

/* Its last record stands, for the scan of this walk. */
static void bury(struct proc *proc, struct proc_record *record)
{
	uint32_t index = (uint32_t)(record - proc->record) + 1;
	uint32_t *link = bucket_of(proc, record->pid);

	while (*link != index)
		link = &proc->record[*link - 1].next;
	*link = record->next;
	record->pid = 0;
	record->next = proc->buried;
	proc->buried = index;
	slot_of(proc, record)->flags |= SLOT_DEAD;
	proc->counters.freed++;
}

static void free_buried(struct proc *proc)
{
	while (proc->buried) {
		struct proc_record *record = &proc->record[proc->buried - 1];
		uint32_t next = record->next;

		record->next = proc->free;
		proc->free = proc->buried;
		proc->buried = next;
	}
}

/* NULL where no slot is left. */
static struct proc_record *take_record(struct proc *proc, uint32_t pid)
{
	uint32_t *bucket = bucket_of(proc, pid), index = proc->free;
	struct proc_record *record;
	struct slot *slot;

	if (index)
		proc->free = proc->record[index - 1].next;
	else if (proc->high < proc->capacity)
		index = ++proc->high;
	else
		return NULL;
	record = &proc->record[index - 1];
	*record = (struct proc_record){ .pid = pid, .next = *bucket };
	*bucket = index;
	slot = slot_of(proc, record);
	*slot = (struct slot){ .pid = pid, .tgid = pid, .generation = slot->generation + 2 };
	proc->counters.allocated++;
	return record;
}

/* ---- one process of a walk */

struct reading {
	bool clocked;
	uint64_t cpu_ns;
	struct proc_stat stat;
};

static void take_clock(const struct proc *proc, uint32_t pid, struct reading *now)
{
	now->clocked = read_clock(proc, pid, &now->cpu_ns);
}

/* Not run since it was read: state, name and counters are the same. */
static bool is_idle(struct proc *proc, const struct proc_record *record)
{
	if (record->read > proc->refreshed || !proc->refreshes_left)
		return true;
	proc->refreshes_left--;
	return false;
}

/* Whether the clock is all that need be known this time. What was blocked is no longer if it ran. */
static bool may_wait(struct proc *proc, const struct proc_record *record, const struct reading *now)
{
	uint32_t number = (uint32_t)(record - proc->record);
	uint64_t ran_ns = now->cpu_ns - record->read_cpu_ns;	/* a clock that went back: another process's */

	if (record->by_ticks || !now->clocked)
		return false;
	if (!ran_ns)
		return is_idle(proc, record);
	return ran_ns < BRIEF_NS && proc->brief && (number + proc->walk) % BRIEF_TURNS &&
	       !(proc->slot[number].state & (STATE_UNINTERRUPTIBLE | STATE_DEAD));
}

static uint16_t state_bits(const struct proc_stat *stat)
{
	enum { INTERRUPTIBLE = 1 };	/* what else is neither running nor blocked need not be told apart */

	switch (stat->state) {
	case 'R': return 0;
	case 'D': return STATE_UNINTERRUPTIBLE;
	case 'I': return STATE_UNINTERRUPTIBLE | STATE_NOLOAD;
	case 'Z':
	case 'X':
		/* a first thread that has left the others is not the end of the process */
		return stat->threads > 1 ? INTERRUPTIBLE : STATE_DEAD;
	default: return INTERRUPTIBLE;
	}
}

/* Counts from where the process got its slot. What is smaller than before is an error of another's, and left out. */
static uint64_t count_from(uint64_t base, uint64_t now)
{
	return now > base ? now - base : 0;
}

static void record_io(struct proc *proc, struct proc_record *record, const char *pid)
{
	struct slot *slot = slot_of(proc, record);
	struct use now;
	int error = read_io(proc, pid, &now);

	record->io_hidden = error && error != -SYS_ESRCH;
	if (error)
		return;
	if (!record->io_known && !record->young) {
		record->base.read_bytes = now.read_bytes;
		record->base.write_bytes = now.write_bytes;
	}
	record->io_known = true;
	slot->used.read_bytes = count_from(record->base.read_bytes, now.read_bytes);
	slot->used.write_bytes = count_from(record->base.write_bytes, now.write_bytes);
}

static void record_cpu(struct proc *proc, struct proc_record *record, uint64_t cpu_ns)
{
	struct slot *slot = slot_of(proc, record);
	uint64_t used_ns = count_from(record->base.cpu_ns, cpu_ns);

	record->seen = proc->walk;
	if (used_ns == slot->used.cpu_ns)
		return;
	slot->used.cpu_ns = used_ns;
	slot->stamp = 2 * proc->walk;
}

static void record_stat(struct proc *proc, struct proc_record *record, const struct reading *now)
{
	const struct proc_stat *stat = &now->stat;
	struct slot *slot = slot_of(proc, record);

	record->read = proc->walk;
	record->read_cpu_ns = record->by_ticks ? stat->cpu_ticks * PROC_TICK_NS : now->cpu_ns;
	record->threads = stat->threads ? stat->threads : 1;
	memcpy(slot->name, stat->name, TASK_NAME_SIZE);
	slot->state = state_bits(stat);
	slot->flags = stat->kernel ? SLOT_KERNEL : 0;
	slot->rss_pages = stat->rss_pages;
	slot->stamp = 2 * proc->walk;
}

static struct proc_record *new_record(struct proc *proc, uint32_t pid, const struct reading *now)
{
	struct proc_record *record = take_record(proc, pid);

	if (!record) {
		proc->without_slot++;
		return NULL;
	}
	record->started = now->stat.started;
	record->young = proc->walk > 1 && now->stat.started >= proc->walked_ns / PROC_TICK_NS;
	record->by_ticks = !now->clocked;
	return record;
}

static void visit(struct proc *proc, const char *name, uint32_t pid)
{
	struct proc_record *record = find_record(proc, pid);
	bool is_new = !record;
	struct reading now = { 0 };
	int error;

	/* before the stat: what changes in between is seen by the next walk */
	take_clock(proc, pid, &now);
	if (record && may_wait(proc, record, &now)) {
		record_cpu(proc, record, now.cpu_ns);
		return;
	}
	error = read_stat(proc, name, &now.stat);
	if (error == -SYS_ENOENT || error == -SYS_ESRCH)
		return;		/* gone */
	if (error) {
		if (record)
			record->seen = proc->walk;
		else
			proc->io_hidden++;
		return;
	}
	if (record && record->started != now.stat.started) {
		bury(proc, record);
		take_clock(proc, pid, &now);
		is_new = true;
	}
	if (is_new)
		record = new_record(proc, pid, &now);
	if (!record)
		return;
	record_stat(proc, record, &now);
	if (is_new && !record->young)
		record->base.cpu_ns = record->read_cpu_ns;
	record_cpu(proc, record, record->read_cpu_ns);
	record_io(proc, record, name);
}

/* ---- the walk */

/* A directory named by a pid; the kernel writes no leading zeros. */
static bool is_pid(const char *name, uint32_t *pid)
{
	uint64_t value = 0;

	if (*name < '1' || *name > '9')
		return false;
	for (; *name >= '0' && *name <= '9' && value <= PIDS_MAX; name++)
		value = value * 10 + (uint64_t)(*name - '0');
	*pid = (uint32_t)value;
	return !*name && value <= PIDS_MAX;
}

/* 0, or -errno where the directory could not be read to its end. */
static int visit_all(struct proc *proc)
{
	int64_t at = sys_lseek(proc->directory, 0, SYS_SEEK_SET);
	long size = at < 0 ? (long)at : 1;

	while (size > 0) {
		const char *name;
		size_t entry = 0;
		uint32_t pid;

		size = sys_getdents(proc->directory, proc->entries, sizeof proc->entries);
		if (size <= 0)
			break;
		while ((name = file_next_entry(proc->entries, (size_t)size, &entry)))
			if (is_pid(name, &pid))
				visit(proc, name, pid);
	}
	return (int)size;
}

static void pass_records(struct proc *proc, bool complete)
{
	for (uint32_t i = 0; i < proc->high; i++) {
		struct proc_record *record = &proc->record[i];

		if (!record->pid)
			continue;
		if (complete && record->seen != proc->walk)
			bury(proc, record);
		else
			proc->io_hidden += record->io_hidden;
	}
}

/* "cpu  user nice system idle iowait irq softirq ...": what was worked, in ticks (proc_stat(5)). */
static void read_busy(struct proc *proc)
{
	enum { FIELDS = 7, IDLE = 3, WAIT = 4 };
	char bytes[512];	/* the first line is first */
	long size = file_read(&proc->stat, bytes, sizeof bytes);
	struct parse all = parse_over(bytes, size > 0 ? (size_t)size : 0), line;
	uint64_t ticks = 0, value;

	if (!parse_find(&all, "cpu ", &line))
		return;
	for (unsigned i = 0; i < FIELDS; i++) {
		parse_blanks(&line);
		if (!parse_u64(&line, &value))
			return;
		if (i != IDLE && i != WAIT)
			ticks += value;
	}
	proc->now.busy_known = ticks <= UINT64_MAX / PROC_TICK_NS;
	proc->now.busy_ns = ticks * PROC_TICK_NS;
}

/* Kilobytes that block devices moved: in the first page of vmstat, which is all that one read may return. */
static void read_blocks(struct proc *proc)
{
	char bytes[4096];
	long size = file_read(&proc->vmstat, bytes, sizeof bytes);
	struct parse text = parse_over(bytes, size > 0 ? (size_t)size : 0);
	struct proc_machine *now = &proc->now;

	now->blocks_known = find_count(&text, "pgpgin ", &now->read_bytes) &&
			    find_count(&text, "pgpgout ", &now->write_bytes);
	now->read_bytes *= 1024;
	now->write_bytes *= 1024;
}

void proc_walk(struct proc *proc, uint64_t boot_ns)
{
	uint32_t without_slot = proc->without_slot;
	int error;

	proc->walk++;
	proc->refreshes_left = REFRESHES;
	proc->brief = boot_ns - proc->walked_ns < brief_walk_ns;
	proc->without_slot = proc->io_hidden = 0;
	proc->before = proc->now;
	proc->now = (struct proc_machine){ 0 };
	free_buried(proc);
	read_busy(proc);
	error = visit_all(proc);
	pass_records(proc, !error);
	if (proc->io_hidden)
		read_blocks(proc);
	proc->walked_ns = boot_ns;
	proc->counters.high = proc->high;
	if (proc->without_slot > without_slot)
		proc->counters.dropped += proc->without_slot - without_slot;
	else
		proc->counters.regained += without_slot - proc->without_slot;
	/* between the stamps of this walk and those of the next */
	proc->counters.jiffies = 2 * (uint64_t)proc->walk + 1;
}

/* ---- what the slots do not say */

static void set_threads(struct proc *proc, struct top_list *list)
{
	for (uint32_t i = 0; i < list->count; i++) {
		const struct proc_record *record = find_record(proc, list->entry[i].pid);

		if (record && list->entry[i].pid)
			list->entry[i].threads = record->threads;
	}
}

/* "0.20 0.18 0.12 1/80 11206": how many tasks run, and all (proc_loadavg(5)). */
static void set_tasks(struct proc *proc, struct sample *sample)
{
	char bytes[64];
	long size = file_read(&proc->loadavg, bytes, sizeof bytes);
	struct parse p = parse_over(bytes, size > 0 ? (size_t)size : 0);
	uint64_t running, total;

	if (!skip_fields(&p, 3) || !parse_u64(&p, &running) || !parse_literal(&p, "/") || !parse_u64(&p, &total) ||
	    running > total || total > UINT32_MAX)
		return;
	sample->tasks_running = (uint32_t)running;
	sample->tasks_total = (uint32_t)total;
}

/*
 * The machine's time comes in ticks, that of the processes in ns: within one interval either may be ahead of the
 * other. What the machine is ahead by was used by processes that no walk saw; what it is behind by is kept, up to a
 * few ticks, so that the ticks that follow do not count the same time again.
 */
static void add_unseen(struct proc *proc, struct sample *sample)
{
	uint64_t seen_ns = sample->elapsed_ns / 1000 * sample->cpus / 1000 * sample->cpu_ppm;	/* ms x ppm */
	int64_t behind_max = (int64_t)AHEAD_MIN_TICKS * PROC_TICK_NS * sample->cpus;
	uint32_t ppm;

	if (!proc->before.busy_known || !proc->now.busy_known)
		return;
	proc->ahead_ns += (int64_t)(proc->now.busy_ns - proc->before.busy_ns - seen_ns);
	if (proc->ahead_ns < -behind_max)
		proc->ahead_ns = -behind_max;
	if (proc->ahead_ns <= 0)
		return;
	ppm = rate_of_cpus((uint64_t)proc->ahead_ns, sample);
	if (ppm > PPM - sample->cpu_ppm)
		ppm = PPM - sample->cpu_ppm;
	proc->ahead_ns = 0;
	sample->other_cpu_ppm += ppm;
	sample->cpu_ppm += ppm;
}

/* The larger of two numbers that both lack something: what is hidden, and what waits in the page cache. */
static void add_hidden_io(const struct proc *proc, struct sample *sample)
{
	uint64_t reads, writes;

	if (!proc->before.blocks_known || !proc->now.blocks_known)
		return;
	reads = rate_of_bytes(count_from(proc->before.read_bytes, proc->now.read_bytes), sample);
	writes = rate_of_bytes(count_from(proc->before.write_bytes, proc->now.write_bytes), sample);
	if (reads > sample->read_bytes_per_second)
		sample->read_bytes_per_second = reads;
	if (writes > sample->write_bytes_per_second)
		sample->write_bytes_per_second = writes;
}

void proc_complete(struct proc *proc, struct sample *sample)
{
	set_threads(proc, &sample->top_cpu);
	set_threads(proc, &sample->top_memory);
	set_threads(proc, &sample->top_io);
	set_tasks(proc, sample);
	if (!(sample->known & KNOWS_RATES))
		return;
	add_unseen(proc, sample);
	add_hidden_io(proc, sample);
}
