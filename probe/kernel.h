/* SPDX-License-Identifier: MIT */
/*
 * The kernel's structs as far as the probe looks at them. Names and types of fields matter, order and offsets do
 * not: the compiler records each access (CO-RE) and the loader fits it to the running kernel. NAME___FLAVOR is one
 * more view of NAME for a kernel that laid it out in another way.
 */
#ifndef RSTAT_PROBE_KERNEL_H
#define RSTAT_PROBE_KERNEL_H

#include <stdint.h>

enum {
	PF_KTHREAD = 0x00200000,	/* include/linux/sched.h */
	MM_FILEPAGES = 0,		/* include/linux/mm_types_task.h; 2 counts swap */
	MM_ANONPAGES = 1,
	MM_SHMEMPAGES = 3,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sched_entity {
	uint64_t sum_exec_runtime;
};

struct task_io_accounting {	/* fields only with CONFIG_TASK_IO_ACCOUNTING */
	uint64_t read_bytes, write_bytes;
};

struct percpu_counter {
	int64_t count;
};

/* 6.2 and later, f1a7941243c1 ("mm: convert mm's rss stats into percpu_counter") */
struct mm_struct {
	struct percpu_counter rss_stat[4];
};

/* up to 6.1 */
struct mm_rss_stat___atomic {
	struct {
		int64_t counter;
	} count[4];
};

struct mm_struct___atomic {
	struct mm_rss_stat___atomic rss_stat;
};

struct thread_info {
	uint32_t cpu;
};

struct list_head {
	struct list_head *next, *prev;
};

struct signal_struct {
	struct list_head thread_head;
};

struct task_struct {
	unsigned int __state;	/* 5.14, 2f064a59a11f ("sched: Change task_struct::state") */
	unsigned int flags;
	unsigned int on_cpu;	/* int up to 6.18; unsigned here, so that the loader may fit the width */
	int pid, tgid;
	struct mm_struct *mm;
	struct sched_entity se;
	struct task_io_accounting ioac;
	struct thread_info thread_info;
	struct signal_struct *signal;
	struct list_head children, sibling, thread_node;
	char comm[16];
};

struct task_struct___long_state {	/* before 5.14 */
	long state;
};

struct task_struct___own_cpu {	/* x86 before 5.16, bcf9033e5449 ("sched: move CPU field back") */
	unsigned int cpu;
};

/*
 * Task storage from bpf_mem_alloc (6.4 to 6.18: bpf_ma) or kmalloc_nolock (later; its flag went when there was nothing
 * else, 7.2 has only the mem_charge that came with it): creating it does not take locks that a run-queue lock may be
 * held under.
 */
struct bpf_local_storage_map___pool {
	_Bool bpf_ma;
};

struct bpf_local_storage_map___nolock {
	_Bool use_kmalloc_nolock;
};

struct bpf_local_storage___always_nolock {
	uint32_t mem_charge;
};

#pragma clang attribute pop

/* The context of iter/task: a fixed ABI, 8 bytes per member. */
struct bpf_iter__task {
	void *meta;
	struct task_struct *task;
};

/* enum bpf_field_info_kind of the compiler */
#define FIELD_OFFSET(field) __builtin_preserve_field_info(field, 0)
#define FIELD_SIZE(field) __builtin_preserve_field_info(field, 1)
#define FIELD_EXISTS(field) __builtin_preserve_field_info(field, 2)
#define VIEW(type) ((type *)0)

/* As p->field, for a pointer the verifier does not know to be good: 0 where it cannot be read. */
#define PROBE_READ(p, field)                                                                       \
	({                                                                                         \
		__typeof__((p)->field) value_ = 0;                                                 \
		probe_read_kernel(&value_, sizeof value_, &(p)->field);                            \
		value_;                                                                            \
	})

#endif
