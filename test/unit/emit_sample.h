/* SPDX-License-Identifier: MIT */
/* Samples that several tests of emit/ render, with or without a libc. */
#ifndef RSTAT_TEST_EMIT_SAMPLE_H
#define RSTAT_TEST_EMIT_SAMPLE_H

#include "collect/sample.h"
#include "loader/memory.h"

static inline struct top_entry live(uint32_t pid, const char *name, uint32_t threads,
				    uint32_t cpu_ppm, uint64_t rss, uint64_t read, uint64_t write)
{
	struct top_entry entry = {
		.pid = pid,
		.threads = threads,
		.cpu_ppm = cpu_ppm,
		.rss_bytes = rss,
		.read_bytes_per_second = read,
		.write_bytes_per_second = write,
	};

	for (unsigned i = 0; i < sizeof entry.name && name[i]; i++)
		entry.name[i] = name[i];
	return entry;
}

/* A desktop in the middle of a compile: every field known, hostile names among the ordinary. */
static inline struct sample sample_busy(void)
{
	const uint64_t mib = 1 << 20, gib = 1 << 30;
	struct sample s = {
		.known = KNOWS_RATES | KNOWS_LOAD | KNOWS_MEMORY | KNOWS_SWAP_RATES |
			 KNOWS_TEMPERATURE | KNOWS_FREQUENCY | KNOWS_FREQUENCY_MAX | KNOWS_PROFILE,
		.source = SOURCE_BTF,
		.time_unix_ms = 1770562336123,
		.elapsed_ns = 1000123456,
		.interval_ms = 1000,
		.cost_ns = 34567,
		.cpus = 8,
		.load_milli = { 5120, 2340, 980 },
		.cpu_ppm = 421337,
		.memory_total_bytes = 31 * gib,
		.memory_available_bytes = 22 * gib,
		.memory_used_bytes = 9 * gib,
		.swap_total_bytes = 8 * gib,
		.swap_used_bytes = 1288490188,
		.swap_in_bytes_per_second = 12 * mib,
		.swap_out_bytes_per_second = 0,
		.pressure = { { true, true, 43200, 0 },
			      { true, true, 5000, 2500 },
			      { true, true, 127500, 91000 } },
		.temperature_millicelsius = 71500,
		.frequency_fastest_hz = 4392000000,
		.frequency_mean_hz = 3011500000,
		.frequency_max_hz = 4800000000,
		.power_profile = "balanced",
		.throttled_count = 1,
		.throttled = { "package" },
		.read_bytes_per_second = 121 * mib,
		.write_bytes_per_second = 3 * mib + mib / 2,
		.blocked_count = 3,
		.blocked_listed = 3,
		.blocked = { { 4242, "dd", 'D' },
			     { 311, "jbd2/nvme0n1p2-", 'D' },
			     { 5000, "<b>\"make\"&", 'Z' } },
		.tasks_total = 912,
		.tasks_running = 9,
		.slots = 8192,
		.other_cpu_ppm = 1200,
	};

	s.gpu_count = 2;
	s.gpu[0] = (struct gpu_entry){
		.known = GPU_KNOWS_BUSY | GPU_KNOWS_FREQUENCY | GPU_KNOWS_FREQUENCY_MAX | GPU_KNOWS_TEMPERATURE | GPU_KNOWS_MEMORY |
			 GPU_KNOWS_POWER,
		.age_ms = 2500, .name = "card0", .driver = "amdgpu", .state = GPU_AWAKE, .busy_ppm = 170000,
		.temperature_millicelsius = 54500, .frequency_hz = 1284000000, .frequency_max_hz = 2600000000,
		.memory_used_bytes = 2250 * mib, .memory_total_bytes = 8 * gib, .power_microwatts = 33012000,
		.throttled_count = 1, .throttled = { "pl1" },
	};
	s.gpu[1] = (struct gpu_entry){ .name = "card1", .driver = "nouveau", .state = GPU_ASLEEP };
	s.battery_count = 1;
	s.battery[0] = (struct battery_entry){
		.known = BATTERY_KNOWS_RATIO | BATTERY_KNOWS_POWER, .name = "BAT0", .status = "Discharging",
		.charge_ppm = 833000, .power_microwatts = 6543000,
	};
	s.cpu_history = (struct series){ 8, { 0, 31, 32, 90, 140, 200, 255, 107 } };
	s.memory_history.count = 60;
	memset(s.memory_history.level, 74, s.memory_history.count);
	s.top_cpu.count = 5;
	s.top_cpu.entry[0] = live(0, "cc1", 0, 211000, 0, 0, 0);
	s.top_cpu.entry[0].ended = 212;
	s.top_cpu.entry[1] = live(2211, "firefox", 98, 74300, 0, 0, 0);
	s.top_cpu.entry[2] = live(1234567, "Web \\x2d Content", 31, 41000, 0, 0, 0);
	s.top_cpu.entry[3] = live(4711, "\xe2\x80\xaeko\xcc\x88nig\xff<i>", 1, 22000, 0, 0, 0);
	s.top_cpu.entry[4] = live(87, "kworker/u16:2", 1, 10000, 0, 0, 0);
	s.top_memory.count = 3;
	s.top_memory.entry[0] = live(2211, "firefox", 98, 0, 2 * gib + gib / 3, 0, 0);
	s.top_memory.entry[1] = live(1234567, "Web Content", 31, 0, 812 * mib, 0, 0);
	s.top_memory.entry[2] = live(999, "\xe6\xbc\xa2\xe5\xad\x97 \"q\"", 2, 0, 301 * mib, 0, 0);
	s.top_io.count = 2;
	s.top_io.entry[0] = live(4242, "dd", 1, 0, 0, 120 * mib, 0);
	s.top_io.entry[1] = live(0, "sync", 0, 0, 0, 0, 3 * mib);
	s.top_io.entry[1].ended = 2;
	return s;
}

/* The first line of a machine that offers little: no rates, no sensors, nothing to list. */
static inline struct sample sample_bare(void)
{
	return (struct sample){
		.known = KNOWS_LOAD | KNOWS_MEMORY,
		.source = SOURCE_PROC,
		.reason = "needs CAP_BPF & <CAP_PERFMON>",
		.time_unix_ms = 1770562336123,
		.interval_ms = 250,
		.cost_ns = 2100000,
		.cpus = 1,
		.load_milli = { 0, 10, 50 },
		.memory_total_bytes = UINT64_C(1) << 30,
		.memory_available_bytes = UINT64_C(900) << 20,
		.memory_used_bytes = UINT64_C(124) << 20,
		.tasks_total = 61,
		.tasks_running = 1,
	};
}

/* Every field at its longest: names of bytes that escape to most (fill), counts at their limits. */
static inline struct sample sample_worst(char fill)
{
	static const char reason[] = "package power limit";
	struct sample s;

	memset(&s, 0xff, sizeof s);
	s.source = SOURCE_PERF;
	for (unsigned i = 0; i < PRESSURE_KINDS; i++)
		s.pressure[i] = (struct pressure){ true, true, 123456, 123456 };
	s.cpu_ppm = s.other_cpu_ppm = 123456;
	s.temperature_millicelsius = INT32_MIN;
	memset(s.power_profile, fill, sizeof s.power_profile);
	memset(s.reason, fill, sizeof s.reason);
	s.gpu_count = GPUS_MAX;
	s.battery_count = BATTERIES_MAX;
	for (unsigned i = 0; i < GPUS_MAX; i++) {
		struct gpu_entry *gpu = &s.gpu[i];

		memset(gpu->name, fill, sizeof gpu->name);
		memset(gpu->driver, fill, sizeof gpu->driver);
		memset(gpu->throttled, fill, sizeof gpu->throttled);
		gpu->throttled_count = REASONS_MAX;
		gpu->state = GPU_UNKNOWN;
		gpu->temperature_millicelsius = INT32_MIN;
		gpu->busy_ppm = 123456;
		memset(s.battery[i].name, fill, sizeof s.battery[i].name);
		memset(s.battery[i].status, fill, sizeof s.battery[i].status);
		s.battery[i].charge_ppm = 123456;
	}
	s.throttled_count = THROTTLED_MAX;
	for (unsigned i = 0; i < THROTTLED_MAX; i++)
		s.throttled[i] = reason;
	s.top_cpu.count = s.top_memory.count = s.top_io.count = TOP_MAX;
	s.blocked_listed = BLOCKED_MAX;
	for (unsigned i = 0; i < TOP_MAX; i++) {
		struct top_entry *entry = &s.top_cpu.entry[i];

		memset(entry->name, fill, sizeof entry->name);
		entry->ended = 0;
		entry->cpu_ppm = 123456;
		s.top_io.entry[i] = *entry;
		s.top_memory.entry[i] = *entry;
		s.top_io.entry[i].ended = UINT32_MAX;
		memset(s.blocked[i].name, fill, sizeof s.blocked[i].name);
		s.blocked[i].state = '"';
	}
	return s;
}

#endif
