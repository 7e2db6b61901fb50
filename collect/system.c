/* SPDX-License-Identifier: MIT */
#include "collect/system.h"

#include "collect/file.h"
#include "collect/parse.h"
#include "loader/sys.h"

enum {
	LOAD_SHIFT = 16,	/* SI_LOAD_SHIFT, include/uapi/linux/sysinfo.h */
	CPU_LIST_SIZE = 1024,
};

uint32_t system_load_milli(uint64_t load)
{
	if (load > ((uint64_t)UINT32_MAX << LOAD_SHIFT) / 1000)
		return UINT32_MAX;
	return (uint32_t)((load * 1000 + (1u << (LOAD_SHIFT - 1))) >> LOAD_SHIFT);
}

uint32_t system_parse_cpus(const void *bytes, size_t size)
{
	struct parse list = parse_trimmed(parse_over(bytes, size));
	uint64_t first, last, next = 0;
	uint32_t count = 0;

	do {
		if (!parse_u64(&list, &first))
			return 0;
		last = first;
		if (parse_literal(&list, "-") && !parse_u64(&list, &last))
			return 0;
		if (first < next || last < first || last >= SYSTEM_CPUS_MAX)
			return 0;
		count += (uint32_t)(last - first) + 1;
		next = last + 1;
	} while (parse_literal(&list, ","));
	return parse_left(&list) ? 0 : count;
}

static uint32_t read_cpus(int *fd)
{
	char bytes[CPU_LIST_SIZE];
	long size = file_read(fd, bytes, sizeof bytes);

	return size > 0 && size < CPU_LIST_SIZE ? system_parse_cpus(bytes, (size_t)size) : 0;
}

void system_open(struct system_source *system, int root)
{
	int possible = file_open(root, "sys/devices/system/cpu/possible");

	system->cpus = read_cpus(&possible);
	if (!system->cpus)
		system->cpus = 1;
	file_close(&possible);
	system->online = file_open(root, "sys/devices/system/cpu/online");
	system->age_ns = SYSTEM_CPUS_AGE_NS;
}

/* The file costs as much as four of sysinfo(2), and CPUs seldom come or go. */
static void update_cpus(struct system_source *system, const struct sample *sample)
{
	uint32_t online;

	if (sample->known & KNOWS_RATES &&
	    __builtin_add_overflow(system->age_ns, sample->elapsed_ns, &system->age_ns))
		system->age_ns = UINT64_MAX;
	if (system->age_ns < SYSTEM_CPUS_AGE_NS)
		return;
	system->age_ns = 0;
	online = read_cpus(&system->online);
	if (online)
		system->cpus = online;
}

void system_read(struct system_source *system, struct sample *sample)
{
	struct sys_sysinfo info;

	update_cpus(system, sample);
	sample->cpus = system->cpus;
	if (sys_sysinfo(&info))
		return;
	for (unsigned i = 0; i < 3; i++)
		sample->load_milli[i] = system_load_milli(info.loads[i]);
	sample->known |= KNOWS_LOAD;
}
