/* SPDX-License-Identifier: MIT */
#include "loader/machine.h"

#include "loader/sys.h"

enum { CPUS_UNKNOWN = 256, SLOTS_USUAL_MIN = 4096, BYTES_PER_SLOT = 512 * 1024 };

/* To the end of its line: a number that is cut would be another one. What sysctl(5) has is not read in pieces. */
static long read_small(const char *path, char *data, size_t size)
{
	int fd = sys_open(path, SYS_O_RDONLY);
	size_t used = 0;
	long length;

	if (fd < 0)
		return fd;
	do {
		length = sys_read(fd, data + used, size - used);
		used += length > 0 ? (size_t)length : 0;
	} while (length > 0 && used < size);
	sys_close(fd);
	if (length >= 0 && used && data[used - 1] != '\n')
		length = -SYS_EIO;
	return length < 0 ? length : (long)used;
}

/* Digits at *at, which is moved past them; limit + 1 where there are none, or too many. */
static uint32_t number_at(const char *text, size_t size, size_t *at, uint32_t limit)
{
	uint64_t value = 0;
	size_t first = *at;

	while (*at < size && text[*at] >= '0' && text[*at] <= '9' && value <= limit)
		value = value * 10 + (uint64_t)(text[(*at)++] - '0');
	return *at == first || value > limit ? limit + 1 : (uint32_t)value;
}

uint32_t machine_cpu_list(const char *list, size_t size)
{
	uint32_t highest = 0;
	size_t at = 0;

	do {
		highest = number_at(list, size, &at, MACHINE_CPUS_MAX - 1);
		if (highest == MACHINE_CPUS_MAX)
			return 0;
	} while (at < size && (list[at] == '-' || list[at] == ',') && ++at);
	return at == size || list[at] == '\n' ? highest + 1 : 0;
}

uint32_t machine_possible_cpus(void)
{
	char text[256];
	long length = read_small("/sys/devices/system/cpu/possible", text, sizeof text);
	uint32_t cpus = length > 0 ? machine_cpu_list(text, (size_t)length) : 0;

	return cpus ? cpus : CPUS_UNKNOWN;
}

uint32_t machine_most_slots(void)
{
	char text[32];
	long length = read_small("/proc/sys/kernel/threads-max", text, sizeof text);
	uint32_t limit = MACHINE_SLOTS_MAX;
	size_t at = 0;

	if (length > 0)
		limit = number_at(text, (size_t)length, &at, MACHINE_SLOTS_MAX);
	if (limit > MACHINE_SLOTS_MAX)
		limit = MACHINE_SLOTS_MAX;
	return limit < MACHINE_SLOTS_MIN ? MACHINE_SLOTS_MIN : limit;
}

uint32_t machine_default_slots(void)
{
	struct sys_sysinfo info = { 0 };
	uint32_t limit = machine_most_slots(), slots;

	sys_sysinfo(&info);
	slots = (uint32_t)(info.totalram * (info.mem_unit ? info.mem_unit : 1) / BYTES_PER_SLOT);
	if (slots < SLOTS_USUAL_MIN)
		slots = SLOTS_USUAL_MIN;
	return slots < limit ? slots : limit;
}

static const uint64_t unlimited = UINT64_MAX;	/* RLIM64_INFINITY */

bool machine_raise_locked(void)
{
	struct sys_rlimit old = { 0 }, all = { unlimited, unlimited }, some;

	if (sys_prlimit(0, SYS_RLIMIT_MEMLOCK, NULL, &old) || old.current == unlimited)
		return false;
	if (!sys_prlimit(0, SYS_RLIMIT_MEMLOCK, &all, NULL))
		return true;
	some = (struct sys_rlimit){ old.maximum, old.maximum };
	return old.maximum > old.current && !sys_prlimit(0, SYS_RLIMIT_MEMLOCK, &some, NULL);
}

bool machine_may_be_short(void)
{
	enum { CAP_PERFMON = 38 - 32, CAP_BPF = 39 - 32, CAP_SYS_ADMIN = 21 };
	struct sys_capability set = { 0 };
	struct sys_rlimit limit = { unlimited, unlimited };
	uint32_t two = 1u << CAP_PERFMON | 1u << CAP_BPF;

	if (sys_capget(&set) || sys_prlimit(0, SYS_RLIMIT_MEMLOCK, NULL, &limit) || limit.current == unlimited)
		return false;
	return (set.word[1].effective & two) == two || set.word[0].effective >> CAP_SYS_ADMIN & 1;
}

bool machine_lockdown(const char *modes, size_t size)
{
	static const char mode[] = "[confidentiality]";
	size_t length = sizeof mode - 1;

	for (size_t at = 0; at + length <= size; at++) {
		size_t same = 0;

		while (same < length && modes[at + same] == mode[same])
			same++;
		if (same == length)
			return true;
	}
	return false;
}

bool machine_is_confidential(void)
{
	char modes[64];
	long length = read_small("/sys/kernel/security/lockdown", modes, sizeof modes);

	return length > 0 && machine_lockdown(modes, (size_t)length);
}

/* Reads size bytes into fresh memory. */
static int read_whole(int fd, size_t size, struct arena *arena)
{
	int error;

	arena->size = size;
	arena->data = sys_mmap(NULL, size, SYS_PROT_READ | SYS_PROT_WRITE,
			       SYS_MAP_PRIVATE | SYS_MAP_ANONYMOUS, -1, 0);
	error = sys_failed(arena->data);
	while (!error && arena->used < size) {
		long length = sys_read(fd, arena->data + arena->used, size - arena->used);

		if (length <= 0)
			error = length ? (int)length : -SYS_EIO;
		else
			arena->used += (size_t)length;
	}
	return error;
}

/* Kernel BTF can be mapped since 6.16; other files in sysfs cannot, and a file that others may cut must not be. */
static bool map_whole(int fd, size_t size, struct arena *arena)
{
	void *data = sys_mmap(NULL, size, SYS_PROT_READ, SYS_MAP_PRIVATE, fd, 0);

	if (sys_failed(data))
		return false;
	*arena = (struct arena){ data, size, size };
	return true;
}

int machine_read_file(const char *path, bool kernels_own, struct arena *arena)
{
	int fd = sys_open(path, SYS_O_RDONLY | SYS_O_NONBLOCK), error;	/* a pipe must not keep us */
	uint32_t mode;
	int64_t size;

	*arena = (struct arena){ 0 };
	if (fd < 0)
		return fd;
	error = sys_fstat(fd, &mode, &size);
	if (!error && ((mode & SYS_S_IFMT) != SYS_S_IFREG || size <= 0 || size > INT32_MAX))
		error = -SYS_EINVAL;
	if (!error && !(kernels_own && map_whole(fd, (size_t)size, arena)))
		error = read_whole(fd, (size_t)size, arena);
	sys_close(fd);
	return error;
}
