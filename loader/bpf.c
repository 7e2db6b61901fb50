/* SPDX-License-Identifier: MIT */
#include "loader/bpf.h"

#include "loader/bpf_attr.h"
#include "loader/sys.h"

static uint64_t pointer(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

/* Names in the kernel are 15 bytes of [A-Za-z0-9_.]; anything else ends them. */
static void set_name(char to[ATTR_NAME_SIZE], const char *name)
{
	for (unsigned i = 0; i < ATTR_NAME_SIZE - 1; i++) {
		char c = name[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    c != '_' && c != '.')
			return;
		to[i] = c;
	}
}

int bpf_map_create(const char *name, const struct map_definition *definition, int btf_fd,
		   uint32_t key_type, uint32_t value_type)
{
	struct attr_map_create attr = {
		.map_type = definition->type,
		.key_size = definition->key_size,
		.value_size = definition->value_size,
		.max_entries = definition->max_entries,
		.map_flags = definition->flags,
		.btf_fd = (uint32_t)btf_fd,
		.btf_key_type_id = key_type,
		.btf_value_type_id = value_type,
	};

	set_name(attr.map_name, name);
	return sys_bpf(BPF_MAP_CREATE, &attr, sizeof attr);
}

int bpf_map_update(int map, const void *key, const void *value)
{
	struct attr_map_element attr = {
		.map_fd = (uint32_t)map,
		.key = pointer(key),
		.value = pointer(value),
	};

	return sys_bpf(BPF_MAP_UPDATE_ELEM, &attr, sizeof attr);
}

int bpf_map_freeze(int map)
{
	struct attr_map_element attr = { .map_fd = (uint32_t)map };

	return sys_bpf(BPF_MAP_FREEZE, &attr, sizeof attr.map_fd);
}

int bpf_btf_load(const void *btf, uint32_t size)
{
	struct attr_btf_load attr = { .btf = pointer(btf), .btf_size = size };

	return sys_bpf(BPF_BTF_LOAD, &attr, sizeof attr);
}

int bpf_program_load(const struct bpf_program_request *request)
{
	struct attr_prog_load attr = {
		.prog_type = request->type,
		.insn_cnt = request->count,
		.insns = pointer(request->code),
		.license = pointer(request->license),
		.log_level = request->log ? 1 : 0,
		.log_size = request->log ? request->log_size : 0,
		.log_buf = pointer(request->log),
		.expected_attach_type = request->attach_type,
		.attach_btf_id = request->attach_btf_id,
	};

	set_name(attr.prog_name, request->name);
	return sys_bpf(BPF_PROG_LOAD, &attr, sizeof attr);
}

int bpf_program_facts(int program, struct bpf_program_facts *facts)
{
	struct info_prog info = { 0 };
	struct attr_info attr = {
		.bpf_fd = (uint32_t)program,
		.info_len = sizeof info,
		.info = pointer(&info),
	};
	int error = sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof attr);

	*facts = (struct bpf_program_facts){
		.id = info.id,
		.instructions = info.verified_insns,
		.run_time_ns = info.run_time_ns,
		.runs = info.run_cnt,
		.recursion_misses = info.recursion_misses,
	};
	return error;
}

int bpf_program_test_run(int program, const void *arguments, uint32_t size)
{
	struct attr_test_run attr = {
		.prog_fd = (uint32_t)program,
		.ctx_size_in = size,
		.ctx_in = size ? pointer(arguments) : 0,
	};

	return sys_bpf(BPF_PROG_TEST_RUN, &attr, sizeof attr);
}

int bpf_raw_tracepoint_open(int program, const char *name)
{
	struct attr_raw_tracepoint attr = { .name = pointer(name), .prog_fd = (uint32_t)program };

	return sys_bpf(BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof attr);
}

int bpf_link_create(int program, uint32_t attach_type)
{
	struct attr_link_create attr = { .prog_fd = (uint32_t)program, .attach_type = attach_type };

	return sys_bpf(BPF_LINK_CREATE, &attr, sizeof attr);
}

int bpf_iter_create(int link)
{
	struct attr_iter_create attr = { .link_fd = (uint32_t)link };

	return sys_bpf(BPF_ITER_CREATE, &attr, sizeof attr);
}

int bpf_enable_stats(void)
{
	struct attr_enable_stats attr = { .type = BPF_STATS_RUN_TIME };

	return sys_bpf(BPF_ENABLE_STATS, &attr, sizeof attr);
}
