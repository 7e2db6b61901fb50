/* SPDX-License-Identifier: MIT */
/*
 * The BPF helpers that the probe calls, declared by hand: the number is the ABI (include/uapi/linux/bpf.h,
 * __BPF_FUNC_MAPPER), the kernel's verifier checks every call. Version: first kernel that has the helper.
 */
#ifndef RSTAT_PROBE_HELPERS_H
#define RSTAT_PROBE_HELPERS_H

#include <stdint.h>

#define SEC(name) __attribute__((section(name), used))
#define INLINE static inline __attribute__((always_inline))

/* A read or write that the compiler neither merges nor moves. */
#define ONCE(lvalue) (*(volatile __typeof__(lvalue) *)&(lvalue))
#define COMPILER_BARRIER() __asm__ volatile("" ::: "memory")

enum { BPF_STORAGE_GET_CREATE = 1, BPF_NOEXIST = 1 };

enum {	/* enum bpf_map_type, and the flags of BPF_MAP_CREATE */
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_QUEUE = 22,
	BPF_MAP_TYPE_STACK = 23,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
	BPF_F_NO_PREALLOC = 1 << 0,
	BPF_F_MMAPABLE = 1 << 10,
};

/* 3.18: the value, or NULL */
static void *(*const map_lookup)(const void *map, const void *key) = (void *)1;
/*
 * Where programs are compiled the map's own function stands in the helper's place: one that returns an int before 6.4, so that
 * the upper half says nothing, and a long since. 3.19: 0, or -errno: -EEXIST (BPF_NOEXIST), -E2BIG, -EBUSY; -ENOENT
 */
static int (*const map_update)(const void *map, const void *key, const void *value,
			       uint64_t flags) = (void *)2;
static int (*const map_delete)(const void *map, const void *key) = (void *)3;
/* 4.1: CLOCK_MONOTONIC */
static uint64_t (*const clock_ns)(void) = (void *)5;
/* 4.1: the CPU that runs us */
static uint32_t (*const this_cpu)(void) = (void *)8;
/* 4.8: struct task_struct * */
static uint64_t (*const current_task)(void) = (void *)35;
/* 4.20, as above: 0, or -errno where the stack is full / empty */
static int (*const map_push)(const void *map, const void *value, uint64_t flags) = (void *)87;
static int (*const map_pop)(const void *map, void *value) = (void *)88;
/* 5.5: 0, or -errno with the destination zeroed */
static long (*const probe_read_kernel)(void *to, uint32_t size, const void *from) = (void *)113;
/* 5.6 */
static uint64_t (*const jiffies64)(void) = (void *)118;
/* 5.11: the task's value, or NULL: none, or storage is busy on this CPU, or is being made by another at this moment */
static void *(*const storage_get)(const void *map, void *task, void *initial,
				  uint64_t flags) = (void *)156;

#endif
