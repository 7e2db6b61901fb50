/* SPDX-License-Identifier: MIT */
/*
 * GPUs: i915 (new and old paths), xe, amdgpu; of others the name, the driver and whether they are awake. Of one that is
 * suspended nothing but its power state is opened or read: reading most of the rest would wake it.
 *
 * Sources: Documentation/ABI/testing/sysfs-driver-intel-i915-*, sysfs-driver-intel-xe-*, Documentation/gpu/amdgpu/,
 * Documentation/ABI/testing/sysfs-devices-power, sysfs-bus-pci (power_state).
 */
#ifndef RSTAT_COLLECT_GPU_H
#define RSTAT_COLLECT_GPU_H

#include <stdbool.h>
#include <stdint.h>

#include "collect/file.h"
#include "collect/sample.h"

enum gpu_kind { GPU_OTHER, GPU_I915, GPU_XE, GPU_AMDGPU };

enum gpu_file {
	GPU_FREQUENCY,
	GPU_IDLE,		/* ms of idle residency, or busy percent by amdgpu */
	GPU_TEMPERATURE,
	GPU_MEMORY_USED,
	GPU_POWER,
	GPU_FILES,
	GPU_CARDS_MAX = 16,
	GPU_REASONS_MAX = 12	/* watched; REASONS_MAX of those that are active are shown */
};

struct gpu {
	struct gpu_entry shown;		/* the last reading; memory_total and frequency_max once it is open */
	enum gpu_kind kind;
	int runtime_status, power_state;	/* descriptors */
	bool opened;			/* the rest is, which waits until it is awake */
	int file[GPU_FILES];
	bool had_state;			/* one of these was there: without both the device is gone */
	unsigned reasons;
	int reason[GPU_REASONS_MAX];
	char reason_name[GPU_REASONS_MAX][REASON_NAME_SIZE];
	uint64_t rest_ns;		/* it does sleep: how long to leave it alone while idle; 0: it never has */
	uint64_t touched_ns;		/* when more than its state was read */
	int64_t idle_ms;		/* of the reading before; negative: none */
	uint64_t idle_ns;		/* when that was */
};

struct gpu_source {
	int class;			/* descriptor of sys/class/drm: files are opened once a device is awake */
	unsigned count;
	struct gpu gpu[GPUS_MAX];
	char names[GPU_CARDS_MAX][FILE_NAME_SIZE];	/* all cards, chosen or not: to see that some came or went */
	int cards;
};

/* Finds the cards below root. only: a card's or a driver's name, or "none"; NULL: all. Opens their power states. */
void gpu_open(struct gpu_source *gpus, int root, const char *only);
void gpu_close(struct gpu_source *gpus);

/* Whether other cards are there than when it was opened. */
bool gpu_changed(const struct gpu_source *gpus, int root);

/* Reads one into gpu->shown. now_ns: CLOCK_MONOTONIC. */
void gpu_read(struct gpu_source *gpus, struct gpu *gpu, uint64_t now_ns);

/* Whether it is still there, by its last reading. */
bool gpu_present(const struct gpu *gpu);

/* No file can be opened any more: what is not open stays absent. */
void gpu_seal(struct gpu_source *gpus);

/* Whether the device in that folder, below the directory, is suspended: what is read of it might wake it. */
bool gpu_device_asleep(int directory, const char *folder);

/* What these two files say of the device: "active", "D3cold". Anything unknown counts as awake. */
enum gpu_state gpu_state_of(const char *runtime_status, long runtime_size, const char *power_state, long power_size);

#endif
