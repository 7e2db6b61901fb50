/* SPDX-License-Identifier: MIT */
#include "collect/cpufreq.h"

#include "collect/file.h"
#include "loader/sys.h"

enum { KILOHERTZ_MAX = 100000000 };	/* 100 GHz */

static const uint64_t stands_ns = 60000000000;

uint64_t cpufreq_hz(int64_t kilohertz)
{
	return kilohertz > 0 && kilohertz <= KILOHERTZ_MAX ? (uint64_t)kilohertz * 1000 : 0;
}

void cpufreq_open(struct cpufreq_source *cpufreq, int root)
{
	char names[CPUFREQ_POLICIES_MAX][FILE_NAME_SIZE];
	int class = file_open(root, "sys/devices/system/cpu/cpufreq");
	int count = class < 0 ? 0 :
				file_list(class, ".", "policy#", names, CPUFREQ_POLICIES_MAX);

	cpufreq->policies = 0;
	cpufreq->max_hz = 0;
	cpufreq->next = 0;
	cpufreq->known = false;
	for (int i = 0; i < count; i++) {
		int policy = file_open(class, names[i]);
		int current = file_open(policy, "scaling_cur_freq");
		int64_t kilohertz;

		if (current >= 0) {
			cpufreq->kilohertz[cpufreq->policies] = 0;
			cpufreq->read_ns[cpufreq->policies] = 0;
			cpufreq->current[cpufreq->policies++] = current;
		}
		if (!file_number_at(policy, "cpuinfo_max_freq", &kilohertz) &&
		    cpufreq_hz(kilohertz) > cpufreq->max_hz)
			cpufreq->max_hz = cpufreq_hz(kilohertz);
		file_close(&policy);
	}
	file_close(&class);
}

static void read_policy(struct cpufreq_source *cpufreq, unsigned policy)
{
	int64_t kilohertz;

	if (file_read_number(&cpufreq->current[policy], &kilohertz) || !cpufreq_hz(kilohertz))
		kilohertz = 0;
	cpufreq->kilohertz[policy] = (uint32_t)kilohertz;
}

static void conclude(struct cpufreq_source *cpufreq, uint64_t now_ns)
{
	uint64_t fastest = 0, sum = 0, count = 0;

	for (unsigned i = 0; i < cpufreq->policies; i++) {
		bool stands = now_ns - cpufreq->read_ns[i] < stands_ns;
		uint64_t hz = stands ? cpufreq_hz(cpufreq->kilohertz[i]) : 0;

		if (hz > fastest)
			fastest = hz;
		sum += hz;
		count += hz > 0;
	}
	cpufreq->known = count > 0;
	cpufreq->fastest_hz = fastest;
	cpufreq->mean_hz = count ? sum / count : 0;
}

void cpufreq_read(struct cpufreq_source *cpufreq, uint64_t (*clock)(void), uint64_t slice_ns)
{
	uint64_t now_ns = clock(), until_ns = now_ns + slice_ns;

	for (unsigned i = 0; i < cpufreq->policies; i++) {
		read_policy(cpufreq, cpufreq->next);
		cpufreq->read_ns[cpufreq->next] = now_ns;
		cpufreq->next = (cpufreq->next + 1) % cpufreq->policies;
		now_ns = clock();
		if (now_ns > until_ns)
			break;
	}
	conclude(cpufreq, now_ns);
}
