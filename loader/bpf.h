/* SPDX-License-Identifier: MIT */
/*
 * bpf(2): one function per command, each with the part of union bpf_attr that it uses (include/uapi/linux/bpf.h;
 * a unit test holds the offsets against the header). All return a descriptor or 0, else -errno.
 */
#ifndef RSTAT_LOADER_BPF_H
#define RSTAT_LOADER_BPF_H

#include <stddef.h>
#include <stdint.h>

#include "loader/core.h"
#include "probe/abi.h"

enum {	/* commands */
	BPF_MAP_CREATE = 0,
	BPF_MAP_UPDATE_ELEM = 2,
	BPF_PROG_LOAD = 5,
	BPF_PROG_TEST_RUN = 10,
	BPF_OBJ_GET_INFO_BY_FD = 15,
	BPF_RAW_TRACEPOINT_OPEN = 17,
	BPF_BTF_LOAD = 18,
	BPF_MAP_FREEZE = 22,
	BPF_LINK_CREATE = 28,
	BPF_ENABLE_STATS = 32,
	BPF_ITER_CREATE = 33,
};

enum {	/* program and attach types */
	BPF_PROG_TRACEPOINT = 5,
	BPF_PROG_RAW_TRACEPOINT = 17,
	BPF_PROG_TRACING = 26,
	BPF_TRACE_RAW_TP = 23,
	BPF_TRACE_ITER = 28,
	BPF_STATS_RUN_TIME = 0,
	BPF_F_RDONLY_PROG = 1 << 7,
};

struct bpf_program_request {
	const char *name;		/* what bpftool shows; at most 15 bytes are used */
	const char *license;
	const struct instruction *code;
	uint32_t count;
	uint32_t type, attach_type;
	uint32_t attach_btf_id;		/* in the kernel's BTF; 0: none */
	char *log;			/* the verifier's, or NULL */
	uint32_t log_size;
};

struct bpf_program_facts {
	uint32_t id;
	uint32_t instructions;		/* after the verifier's own changes */
	uint64_t run_time_ns, runs;	/* only while statistics are on */
	uint64_t recursion_misses;	/* runs skipped, 5.12 */
};

/* btf_fd, key and value type ids are 0 but for task storage. */
int bpf_map_create(const char *name, const struct map_definition *definition, int btf_fd,
		   uint32_t key_type, uint32_t value_type);
int bpf_map_update(int map, const void *key, const void *value);
int bpf_map_freeze(int map);
int bpf_btf_load(const void *btf, uint32_t size);
int bpf_program_load(const struct bpf_program_request *request);
int bpf_program_facts(int program, struct bpf_program_facts *facts);
/* arguments: of a raw tracepoint program, in whole 8 bytes; size 0: none */
int bpf_program_test_run(int program, const void *arguments, uint32_t size);
int bpf_raw_tracepoint_open(int program, const char *name);	/* NULL: the attach point is the program's own */
int bpf_link_create(int program, uint32_t attach_type);
int bpf_iter_create(int link);
int bpf_enable_stats(void);			/* run time, until the descriptor is closed */

#endif
