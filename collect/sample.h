/* SPDX-License-Identifier: MIT */
/*
 * All that one tick knows. Collectors fill it, faces read it; there is no other state between them.
 * A ratio in ppm is parts per million: 1,000,000 is the whole. What a machine lacks, or what needs a second
 * reading, is absent from `known`, and its fields are then undefined.
 */
#ifndef RSTAT_COLLECT_SAMPLE_H
#define RSTAT_COLLECT_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/abi.h"

enum {
	PPM = 1000000,
	TOP_MAX = 20,		/* rows of a top list */
	BLOCKED_MAX = 20,	/* blocked tasks listed; blocked_count has them all */
	PROFILE_SIZE = 24,
	REASON_SIZE = 54,
	THROTTLED_MAX = 4,
	HISTORY_MAX = 240,	/* columns of a graph */
	GPUS_MAX = 4,
	BATTERIES_MAX = 4,
	DEVICE_NAME_SIZE = 32,	/* "card0", "amdgpu", "BAT0", "Not charging" */
	REASONS_MAX = 4,	/* of one GPU, listed */
	REASON_NAME_SIZE = 16,
};

/* sample.known */
enum {
	KNOWS_RATES = 1 << 0,		/* there was an earlier reading: elapsed, cpu, io, top_cpu, top_io */
	KNOWS_LOAD = 1 << 1,
	KNOWS_MEMORY = 1 << 2,
	KNOWS_SWAP_RATES = 1 << 3,
	KNOWS_TEMPERATURE = 1 << 4,
	KNOWS_FREQUENCY = 1 << 5,
	KNOWS_FREQUENCY_MAX = 1 << 6,
	KNOWS_PROFILE = 1 << 7,
};

enum source { SOURCE_BTF, SOURCE_RAW, SOURCE_PERF, SOURCE_PROC };
enum pressure_kind { PRESSURE_CPU, PRESSURE_MEMORY, PRESSURE_IO, PRESSURE_KINDS };

/* A process, or (ended > 0) all processes of one name that ended in the interval. Name: raw bytes, may lack a NUL. */
struct top_entry {
	uint32_t pid;			/* tgid; 0 where ended */
	uint32_t ended;			/* how many processes; 0: one that lives */
	char name[TASK_NAME_SIZE];
	uint32_t threads;
	uint32_t cpu_ppm;		/* of all CPUs */
	uint64_t rss_bytes;
	uint64_t read_bytes_per_second, write_bytes_per_second;
};

struct top_list {
	uint32_t count;
	struct top_entry entry[TOP_MAX];	/* largest first */
};

struct blocked_entry {
	uint32_t pid;
	char name[TASK_NAME_SIZE];
	char state;				/* 'D' uninterruptible, 'Z' zombie */
};

struct pressure {
	bool known;
	bool full_known;			/* cpu has no "full" line before 5.13 */
	uint32_t some_ppm, full_ppm;		/* avg10 */
};

enum gpu_state { GPU_AWAKE, GPU_ASLEEP, GPU_UNKNOWN };

/* gpu_entry.known */
enum {
	GPU_KNOWS_BUSY = 1 << 0,
	GPU_KNOWS_FREQUENCY = 1 << 1,
	GPU_KNOWS_FREQUENCY_MAX = 1 << 2,
	GPU_KNOWS_TEMPERATURE = 1 << 3,
	GPU_KNOWS_MEMORY = 1 << 4,
	GPU_KNOWS_POWER = 1 << 5,
};

/* A device whose last reading is of an earlier sample says how old it is: age_ms, 0 where it is of this one. */
struct gpu_entry {
	uint32_t known;				/* GPU_KNOWS_*; nothing of one that is asleep */
	uint32_t age_ms;
	char name[DEVICE_NAME_SIZE];		/* of the card; NUL-terminated, as all of these */
	char driver[DEVICE_NAME_SIZE];		/* may be empty */
	enum gpu_state state;
	uint32_t busy_ppm;
	int32_t temperature_millicelsius;
	uint64_t frequency_hz, frequency_max_hz;
	uint64_t memory_used_bytes, memory_total_bytes;
	uint64_t power_microwatts;
	uint32_t throttled_count;
	char throttled[REASONS_MAX][REASON_NAME_SIZE];
};

/* battery_entry.known */
enum { BATTERY_KNOWS_RATIO = 1 << 0, BATTERY_KNOWS_POWER = 1 << 1 };

struct battery_entry {
	uint32_t known;
	uint32_t age_ms;
	char name[DEVICE_NAME_SIZE];
	char status[DEVICE_NAME_SIZE];		/* as the kernel says it: "Discharging"; may be empty */
	uint32_t charge_ppm;
	uint64_t power_microwatts;		/* in either direction */
};

/* What a graph shows, oldest first, in 256ths of the whole. */
struct series {
	uint8_t count;
	uint8_t level[HISTORY_MAX];
};

struct sample {
	uint32_t known;				/* KNOWS_* */
	enum source source;
	char reason[REASON_SIZE];		/* why it is not a better one; NUL-terminated, empty: it is the best */
	uint64_t time_unix_ms;			/* when the tasks were read */
	uint64_t elapsed_ns;			/* since the sample before */
	uint64_t interval_ms;			/* as asked for */
	uint64_t cost_ns;			/* what this sample took to collect */

	uint32_t cpus;				/* online */
	uint32_t load_milli[3];			/* 1, 5, 15 minutes, thousandths */
	uint32_t cpu_ppm;			/* of all CPUs */

	uint64_t memory_total_bytes, memory_available_bytes, memory_used_bytes;
	uint64_t swap_total_bytes, swap_used_bytes;
	uint64_t swap_in_bytes_per_second, swap_out_bytes_per_second;
	struct pressure pressure[PRESSURE_KINDS];

	int32_t temperature_millicelsius;
	uint64_t frequency_fastest_hz, frequency_mean_hz, frequency_max_hz;
	char power_profile[PROFILE_SIZE];	/* NUL-terminated */
	uint32_t throttled_count;
	const char *throttled[THROTTLED_MAX];	/* static strings: what throttles now */
	uint32_t temperature_age_ms, frequency_age_ms;	/* 0: of this sample */
	uint32_t gpu_count, battery_count;
	struct gpu_entry gpu[GPUS_MAX];
	struct battery_entry battery[BATTERIES_MAX];

	uint64_t read_bytes_per_second, write_bytes_per_second;
	struct top_list top_cpu, top_memory, top_io;
	uint32_t blocked_count;			/* may exceed what is listed */
	uint32_t blocked_listed;
	struct blocked_entry blocked[BLOCKED_MAX];

	struct series cpu_history, memory_history;
	uint32_t tasks_total, tasks_running;
	uint32_t slots;				/* capacity in the kernel */
	uint64_t slots_used;			/* of living tasks */
	uint64_t without_slot;			/* living tasks that none was free for */
	uint64_t dropped, lost;			/* since start: tasks that got no slot, endings not seen */
	uint32_t other_cpu_ppm;			/* CPU time of tasks without a slot; part of cpu_ppm */
};

#endif
