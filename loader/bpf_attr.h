/* SPDX-License-Identifier: MIT */
/*
 * The parts of union bpf_attr and struct bpf_prog_info (include/uapi/linux/bpf.h) that loader/bpf.c passes. The
 * kernel takes any length and reads what is missing as zero.
 */
#ifndef RSTAT_LOADER_BPF_ATTR_H
#define RSTAT_LOADER_BPF_ATTR_H

#include <stdint.h>

enum { ATTR_NAME_SIZE = 16 };

struct attr_map_create {
	uint32_t map_type, key_size, value_size, max_entries, map_flags, inner_map_fd, numa_node;
	char map_name[ATTR_NAME_SIZE];
	uint32_t map_ifindex, btf_fd, btf_key_type_id, btf_value_type_id;
};

struct attr_map_element {
	uint32_t map_fd, pad;
	uint64_t key, value, flags;
};

struct attr_prog_load {
	uint32_t prog_type, insn_cnt;
	uint64_t insns, license;
	uint32_t log_level, log_size;
	uint64_t log_buf;
	uint32_t kern_version, prog_flags;
	char prog_name[ATTR_NAME_SIZE];
	uint32_t prog_ifindex, expected_attach_type, prog_btf_fd, func_info_rec_size;
	uint64_t func_info;
	uint32_t func_info_cnt, line_info_rec_size;
	uint64_t line_info;
	uint32_t line_info_cnt, attach_btf_id;
};

struct attr_btf_load {
	uint64_t btf, btf_log_buf;
	uint32_t btf_size, btf_log_size, btf_log_level, pad;
};

struct attr_info {
	uint32_t bpf_fd, info_len;
	uint64_t info;
};

struct attr_test_run {
	uint32_t prog_fd, retval, data_size_in, data_size_out;
	uint64_t data_in, data_out;
	uint32_t repeat, duration, ctx_size_in, ctx_size_out;
	uint64_t ctx_in, ctx_out;
	uint32_t flags, cpu, batch_size, pad;
};

struct attr_raw_tracepoint {
	uint64_t name;
	uint32_t prog_fd, pad;
};

struct attr_link_create {
	uint32_t prog_fd, target_fd, attach_type, flags;
};

struct attr_iter_create {
	uint32_t link_fd, flags;
};

struct attr_enable_stats {
	uint32_t type;
};

struct info_prog {
	uint32_t type, id;
	uint8_t tag[8];
	uint32_t jited_prog_len, xlated_prog_len;
	uint64_t jited_prog_insns, xlated_prog_insns, load_time;
	uint32_t created_by_uid, nr_map_ids;
	uint64_t map_ids;
	char name[ATTR_NAME_SIZE];
	uint32_t ifindex, gpl_compatible;
	uint64_t netns_dev, netns_ino;
	uint32_t nr_jited_ksyms, nr_jited_func_lens;
	uint64_t jited_ksyms, jited_func_lens;
	uint32_t btf_id, func_info_rec_size;
	uint64_t func_info;
	uint32_t nr_func_info, nr_line_info;
	uint64_t line_info, jited_line_info;
	uint32_t nr_jited_line_info, line_info_rec_size, jited_line_info_rec_size, nr_prog_tags;
	uint64_t prog_tags, run_time_ns, run_cnt, recursion_misses;
	uint32_t verified_insns, attach_btf_obj_id, attach_btf_id, pad;
};

#endif
