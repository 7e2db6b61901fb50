/* SPDX-License-Identifier: MIT */
#include "collect/cpufreq.h"

#include "collect/file.h"
#include "loader/sys.h"

enum { KILOHERTZ_MAX = 100000000 };	/* 100 GHz */

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
	cpufreq->pace = (struct pace){ 0 };
	cpufreq->known = false;
	for (int i = 0; i < count; i++) {
		int policy = file_open(class, names[i]);
		int current = file_open(policy, "scaling_cur_freq");
		int64_t kilohertz;

		if (current >= 0)
			cpufreq->current[cpufreq->policies++] = current;
		if (!file_number_at(policy, "cpuinfo_max_freq", &kilohertz) &&
		    cpufreq_hz(kilohertz) > cpufreq->max_hz)
			cpufreq->max_hz = cpufreq_hz(kilohertz);
		file_close(&policy);
	}
	file_close(&class);
}

static void read_policies(struct cpufreq_source *cpufreq)
{
	uint64_t fastest = 0, sum = 0, count = 0;

	for (unsigned i = 0; i < cpufreq->policies; i++) {
		int64_t kilohertz;
		uint64_t hz;

		if (file_read_number(&cpufreq->current[i], &kilohertz))
			continue;
		hz = cpufreq_hz(kilohertz);
		if (!hz)
			continue;
		if (hz > fastest)
			fastest = hz;
		sum += hz;
		count++;
	}
	cpufreq->known = count > 0;
	cpufreq->fastest_hz = fastest;
	cpufreq->mean_hz = count ? sum / count : 0;
}

void cpufreq_read(struct cpufreq_source *cpufreq, struct sample *sample)
{
	if (cpufreq->policies && pace_due(&cpufreq->pace)) {
		read_policies(cpufreq);
		pace_done(&cpufreq->pace);
	}
	if (cpufreq->known) {
		sample->frequency_fastest_hz = cpufreq->fastest_hz;
		sample->frequency_mean_hz = cpufreq->mean_hz;
		sample->known |= KNOWS_FREQUENCY;
	}
	if (cpufreq->max_hz) {
		sample->frequency_max_hz = cpufreq->max_hz;
		sample->known |= KNOWS_FREQUENCY_MAX;
	}
}
