/* SPDX-License-Identifier: MIT */
#include "collect/sources.h"

#define SOURCE(name)                                                                               \
	static void open_##name(struct sources *sources, int root)                                 \
	{                                                                                          \
		name##_open(&sources->name, root);                                                 \
	}                                                                                          \
	static void read_##name(struct sources *sources, struct sample *sample)                    \
	{                                                                                          \
		name##_read(&sources->name, sample);                                               \
	}

SOURCE(system)
SOURCE(memory)
SOURCE(pressure)
SOURCE(thermal)
SOURCE(cpufreq)
SOURCE(power)

const struct sources_row sources_table[SOURCES_COUNT] = {
	{ "system", open_system, read_system },
	{ "memory", open_memory, read_memory },
	{ "pressure", open_pressure, read_pressure },
	{ "temperature", open_thermal, read_thermal },
	{ "frequency", open_cpufreq, read_cpufreq },
	{ "power", open_power, read_power },
};

void sources_open(struct sources *sources, int root, uint64_t page_size)
{
	sources->memory.page_size = page_size;
	for (unsigned i = 0; i < SOURCES_COUNT; i++)
		sources_table[i].open(sources, root);
}

void sources_read(struct sources *sources, struct sample *sample)
{
	for (unsigned i = 0; i < SOURCES_COUNT; i++)
		sources_table[i].read(sources, sample);
}
