/* SPDX-License-Identifier: MIT */
/*
 * The built-in probe against the types of each kernel of the matrix (test/fixtures/btf, made by test/vm/btf): where
 * the fields are there, by other tools' reading, and what the probe's relocations make of it.
 */
#include "test/unit/own_object.h"

#include "loader/attach.h"
#include "loader/object.h"

enum { NONE = -1 };

static struct object object;
static struct btf kernel;
static struct core core;
static struct failure failure;

/* Bytes from the beginning of the struct, from `bpftool btf dump file` on the fixture; NONE: does not exist. */
static const struct row {
	const char *name;
	int state, long_state, on_cpu, on_cpu_width, mm, comm, write_bytes;
	int percpu_rss, atomic_rss;	/* the kind 3, shared pages */
	int cpu, own_cpu, adopts, prev_argument;
} rows[] = {
	{ "5.10", NONE, 16, 44, 4, 2056, 2736, 40, NONE, 736, NONE, 64, 0, 1 },
	{ "6.1", 24, NONE, 52, 4, 2272, 2976, 40, NONE, 744, 20, NONE, 0, 1 },
	{ "6.12", 24, NONE, 52, 4, 2304, 2976, 40, 824 + 3 * 40 + 8, NONE, 20, NONE, 1, 1 },
	{ "6.12-rt", 24, NONE, 52, 4, 2304, 3016, 40, 920 + 3 * 40 + 8, NONE, 20, NONE, 1, 1 },
	{ "newest", 24, NONE, 52, 1, 2680, 3344, 40, 1208 + 3 * 40 + 8, NONE, 20, NONE, 1, 1 },
	{ "6.1-arm", 24, NONE, 52, 4, 1208, 1912, 40, NONE, 712, 16, NONE, 0, 1 },
	{ "6.12-arm", 24, NONE, 52, 4, 1248, 1920, 40, 792 + 3 * 40 + 8, NONE, 16, NONE, 1, 1 },
};

static uint8_t *read_fixture(const char *name, size_t *size)
{
	char path[128];
	uint8_t *data;
	FILE *file;

	snprintf(path, sizeof path, "test/fixtures/btf/%s.btf", name);
	file = fopen(path, "rb");
	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	*size = (size_t)ftell(file);
	rewind(file);
	data = exactly(*size);
	assert_int_equal(fread(data, 1, *size, file), *size);
	fclose(file);
	return data;
}

typedef void (*visitor)(const struct core_relocation *r);

static void each_relocation(visitor visit)
{
	struct elf_section section;
	uint32_t header[8], size, info[2];
	struct core_relocation r;
	uint64_t at;

	assert_true(elf_find(&object.elf, ".BTF.ext", &section));
	assert_true(bytes_copy(section.data, 0, header, sizeof header));
	at = header[1] + header[6];
	assert_true(bytes_copy(section.data, at, &size, sizeof size));
	for (uint64_t end = at + header[7], from = at + sizeof size; from < end;) {
		assert_true(bytes_copy(section.data, from, info, sizeof info));
		from += sizeof info;
		for (uint32_t i = 0; i < info[1]; i++, from += size) {
			assert_true(bytes_copy(section.data, from, &r, sizeof r));
			visit(&r);
		}
	}
}

/* The first field access of the probe with this root and path that this kernel has: its offset and width; or NONE. */
static const char *wanted_type, *wanted_path;
static int found_offset, found_width, accesses;

static void look(const struct core_relocation *r)
{
	struct core_value assumed, actual;

	if (strcmp(btf_type(&object.btf, r->type).name, wanted_type) ||
	    strcmp(bytes_string(object.btf.strings, r->path_at), wanted_path))
		return;
	accesses++;
	assert_int_equal(core_resolve(&core, r, &assumed, &actual, &failure), 0);
	if (!actual.found)
		return;
	found_offset = r->kind == CORE_FIELD_OFFSET ? (int)actual.value : found_offset == NONE ? 0 : found_offset;
	found_width = r->kind == CORE_FIELD_OFFSET ? (int)actual.width : found_width;
}

static int offset_of(const char *type, const char *path)
{
	wanted_type = type;
	wanted_path = path;
	found_offset = found_width = NONE;
	accesses = 0;
	each_relocation(look);
	if (!accesses)
		print_error("the probe does not access %s %s\n", type, path);
	assert_true(accesses);
	return found_offset;
}

/* The probe's path to a member, "0:N" and what follows it. */
static int member_offset(const char *type, const char *member, const char *rest)
{
	struct btf_type view = btf_type(&object.btf, btf_find(&object.btf, BTF_STRUCT, type));
	char path[32];

	for (uint32_t i = 0; i < view.count; i++) {
		if (strcmp(btf_member(&object.btf, &view, i).name, member))
			continue;
		snprintf(path, sizeof path, "0:%u%s", i, rest);
		return offset_of(type, path);
	}
	print_error("the probe has no view of %s.%s\n", type, member);
	_fail(__FILE__, __LINE__);
	return NONE;
}

static void check_row(const struct row *row)
{
	int adopts = member_offset("bpf_local_storage_map___pool", "bpf_ma", "") != NONE ||
		     member_offset("bpf_local_storage_map___nolock", "use_kmalloc_nolock", "") != NONE ||
		     member_offset("bpf_local_storage___always_nolock", "mem_charge", "") != NONE;

	print_message("# %s\n", row->name);
	assert_int_equal(member_offset("task_struct", "__state", ""), row->state);
	assert_int_equal(member_offset("task_struct___long_state", "state", ""), row->long_state);
	assert_int_equal(member_offset("task_struct", "on_cpu", ""), row->on_cpu);
	assert_int_equal(found_width, row->on_cpu_width);
	assert_int_equal(member_offset("task_struct", "mm", ""), row->mm);
	assert_int_equal(member_offset("task_struct", "comm", ""), row->comm);
	assert_int_equal(member_offset("mm_struct", "rss_stat", ":3:0"), row->percpu_rss);
	assert_int_equal(member_offset("mm_struct___atomic", "rss_stat", ":0:3:0"), row->atomic_rss);
	assert_int_equal(member_offset("task_struct", "thread_info", ":0"), row->cpu);
	assert_int_equal(member_offset("task_struct___own_cpu", "cpu", ""), row->own_cpu);
	assert_int_equal(adopts, row->adopts);
	assert_int_equal(attach_prev_argument(&kernel, &failure), row->prev_argument);
}

/* What CO-RE cannot tie to a kernel, because the compiler split an access in a struct without a name. */
static void has_a_name(const struct core_relocation *r)
{
	assert_true(*btf_type(&object.btf, btf_strip(&object.btf, r->type)).name);
}

static void fits_each_kernel(void **state)
{
	size_t object_size;
	uint8_t *own = own_object(&object_size);

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(rows); i++) {
		struct arena arena = { .data = exactly(object_memory(object_size)), .size = object_memory(object_size) };
		uint8_t *copy = copy_of(own, object_size);
		size_t size;
		uint8_t *data = read_fixture(rows[i].name, &size);
		struct bytes bytes = { data, size };
		uint32_t *index = exactly(btf_index_entries(bytes) * sizeof *index);

		assert_int_equal(btf_open(&kernel, bytes, index, "a fixture", &failure), 0);
		assert_int_equal(object_open(&object, (struct bytes){ copy, object_size }, &arena, &failure), 0);
		assert_int_equal(object_fit_kernel(&object, &kernel, &core, &failure), 0);
		each_relocation(has_a_name);
		check_row(&rows[i]);
		free(index);
		free(data);
		free(copy);
		free(arena.data);
	}
	free(own);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(fits_each_kernel) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
