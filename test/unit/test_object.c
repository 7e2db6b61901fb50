/* SPDX-License-Identifier: MIT */
/*
 * The object that is built into the binary, whole, cut and changed: elf.c and object.c must take or refuse it and
 * touch nothing outside (the sanitizers watch), and it must fit the running kernel.
 */
#include "test/unit/own_object.h"

#include "loader/attach.h"
#include "loader/machine.h"
#include "loader/object.h"

static struct object object;
static struct arena arena;
static struct failure failure;

static uint8_t *whole;
static size_t whole_size;

static int unpack_whole(void **state)
{
	(void)state;
	whole = own_object(&whole_size);
	return 0;
}

static int free_whole(void **state)
{
	(void)state;
	free(whole);
	return 0;
}

/* Opens a copy whose end the sanitizer guards; the copy must outlive the object, so the caller frees it. */
static int open_copy(const uint8_t *data, size_t size, uint8_t **copy)
{
	*copy = copy_of(data, size);
	failure = (struct failure){ 0 };
	arena = (struct arena){ .data = exactly(object_memory(size)), .size = object_memory(size) };
	return object_open(&object, (struct bytes){ *copy, size }, &arena, &failure);
}

static void close_copy(uint8_t *copy)
{
	free(arena.data);
	free(copy);
}

static void holds_what_the_loader_wants(void **state)
{
	static const char *const maps[] = { "slots_map", "running_map", "counters_map", "epoch_map", "on_cpu_map",
					    "tenancy_map", "free0_map", "free1_map", "free2_map", "pids_map",
					    "fresh_map" };
	static const char *const programs[] = {
		"on_birth", "on_switch", "on_free", "on_seed", "on_sample", "on_reclaim",
		"on_portable_birth", "on_portable_switch", "on_portable_free", "on_portable_exec", "on_portable_seed",
		"on_portable_sample", "on_portable_reclaim", "on_portable_fill",
	};
	uint8_t *copy;

	(void)state;
	assert_int_equal(open_copy(whole, whole_size, &copy), 0);
	assert_int_equal(object.maps, COUNT_OF(maps));
	assert_int_equal(object.programs, COUNT_OF(programs));
	for (unsigned i = 0; i < COUNT_OF(maps); i++)
		assert_non_null(object_find_map(&object, maps[i]));
	for (unsigned i = 0; i < COUNT_OF(programs); i++)
		assert_non_null(object_find_program(&object, programs[i]));
	assert_null(object_find_map(&object, "no_map"));
	assert_int_equal(object_find_map(&object, "slots_map")->definition.value_size, sizeof(struct slot));
	assert_string_equal(object.license, "Dual MIT/GPL");
	close_copy(copy);
}

static void links_its_maps(void **state)
{
	unsigned references = 0;
	uint8_t *copy;

	(void)state;
	assert_int_equal(open_copy(whole, whole_size, &copy), 0);
	for (uint32_t i = 0; i < object.maps; i++)
		object.map[i].fd = 1000 + (int)i;
	object.constants_fd = 2000;
	assert_int_equal(object_link_maps(&object, &failure), 0);
	for (uint32_t p = 0; p < object.programs; p++) {
		for (uint32_t i = 0; i + 1 < object.program[p].count; i++) {
			const struct instruction *at = &object.program[p].code[i];

			if (at->code != 0x18)
				continue;
			i++;
			if (at->registers >> 4 == 1)
				assert_in_range(at->immediate, 1000, 1000 + object.maps - 1);
			else if (at->registers >> 4 == 2)
				assert_int_equal(at->immediate, 2000);
			else
				continue;
			references++;
		}
	}
	assert_true(references > 30);
	close_copy(copy);
}

/* Of each path, its programs and their maps, and nothing of another's. */
static void keeps_a_path(void **state)
{
	static const struct {
		enum probe_path path;
		uint32_t programs;
		const char *with, *without, *map, *no_map;
	} rows[] = {
		{ PATH_BTF, 6, "on_switch", "on_portable_switch", "tenancy_map", "pids_map" },
		{ PATH_RAW, 8, "on_portable_switch", "on_switch", "pids_map", "tenancy_map" },
		{ PATH_PERF, 8, "on_portable_exec", "on_free", "fresh_map", "tenancy_map" },
	};
	static const char *const shared[] = { "slots_map", "running_map", "counters_map", "epoch_map", "on_cpu_map",
					      "free0_map", "free1_map", "free2_map" };
	uint8_t *copy;

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(open_copy(whole, whole_size, &copy), 0);
		assert_true(object_find_map(&object, rows[i].no_map)->wanted);
		object_keep(&object, attach_wants, rows[i].path);
		assert_int_equal(object.programs, rows[i].programs);
		assert_int_equal(object.programs + object.others, 14);
		assert_non_null(object_find_program(&object, rows[i].with));
		assert_null(object_find_program(&object, rows[i].without));
		assert_true(object_find_map(&object, rows[i].map)->wanted);
		assert_false(object_find_map(&object, rows[i].no_map)->wanted);
		for (unsigned m = 0; m < COUNT_OF(shared); m++)
			assert_true(object_find_map(&object, shared[m])->wanted);
		close_copy(copy);
	}
}

/*
 * 5.10's verifier refuses, also where it is never reached, an atomic operation other than the addition that gives no
 * value: class STX, mode ATOMIC, whose immediate says which.
 */
static void portable_atomics(void **state)
{
	unsigned additions = 0;
	uint8_t *copy;

	(void)state;
	assert_int_equal(open_copy(whole, whole_size, &copy), 0);
	object_keep(&object, attach_wants, PATH_RAW);
	for (uint32_t p = 0; p < object.programs; p++) {
		for (uint32_t i = 0; i < object.program[p].count; i++) {
			const struct instruction *at = &object.program[p].code[i];

			if (at->code == 0x18) {
				i++;
				continue;
			}
			if ((at->code & 0xe7) != 0xc3)
				continue;
			assert_int_equal(at->immediate, 0);
			additions++;
		}
	}
	assert_true(additions > 10);
	close_copy(copy);
}

/* All that comes after opening, too: a changed object may open and still be wrong further in. */
static void use(void)
{
	static struct core core;
	static uint32_t index[4096];
	static const uint32_t empty_btf[7] = { 0x0001eb9f, 24, 0, 0, 0, 1, 0 };
	struct btf kernel;

	object_keep(&object, attach_wants, PATH_RAW);
	for (uint32_t i = 0; i < object.maps; i++)
		object.map[i].fd = 3;
	object.constants_fd = 3;
	(void)object_link_maps(&object, &failure);
	assert_int_equal(btf_open(&kernel, (struct bytes){ (const uint8_t *)empty_btf, 25 }, index, "a test", &failure), 0);
	(void)object_fit_kernel(&object, &kernel, &core, &failure);
}

static void cut_anywhere(void **state)
{
	uint8_t *copy;

	(void)state;
	for (size_t size = 0; size < whole_size; size += size < 256 ? 1 : 211) {
		int error = open_copy(whole, size, &copy);

		assert_true(error < 0);	/* the section headers come last */
		check_failure(&failure, "probe object");
		close_copy(copy);
	}
}

static void changed_anywhere(void **state)
{
	static const uint8_t values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
	uint8_t *changed = copy_of(whole, whole_size), *copy;
	unsigned refused = 0;

	(void)state;
	for (size_t at = 0; at < whole_size; at += at < 64 ? 1 : 101) {
		for (unsigned i = 0; i < COUNT_OF(values); i++) {
			uint8_t was = changed[at];
			int error;

			changed[at] = values[i];
			error = open_copy(changed, whole_size, &copy);
			if (error)
				check_failure(&failure, "");
			else
				use();
			refused += error != 0;
			close_copy(copy);
			changed[at] = was;
		}
	}
	assert_true(refused > 100);
	free(changed);
}

/* The headers of sections, each field of them. */
static void changed_headers(void **state)
{
	uint8_t *changed = copy_of(whole, whole_size), *copy;
	uint64_t headers_at;

	(void)state;
	memcpy(&headers_at, changed + 40, sizeof headers_at);
	for (size_t at = headers_at; at < whole_size; at += 3) {
		uint8_t was = changed[at];

		changed[at] = (uint8_t)~was;
		if (open_copy(changed, whole_size, &copy))
			check_failure(&failure, "");
		else
			use();
		close_copy(copy);
		changed[at] = was;
	}
	free(changed);
}

static void fits_the_running_kernel(void **state)
{
	static struct core core;
	struct arena file;
	struct btf kernel;
	uint32_t *index;
	uint8_t *copy;

	(void)state;
	if (machine_read_file("/sys/kernel/btf/vmlinux", true, &file))
		skip_because("this kernel has no BTF");
	index = exactly(btf_index_entries((struct bytes){ file.data, file.used }) * sizeof *index);
	failure = (struct failure){ 0 };
	assert_int_equal(btf_open(&kernel, (struct bytes){ file.data, file.used }, index, "the kernel", &failure), 0);
	for (enum probe_path path = PATH_BTF; path < PATHS; path++) {
		assert_int_equal(open_copy(whole, whole_size, &copy), 0);
		object_keep(&object, attach_wants, path);
		assert_int_equal(object_fit_kernel(&object, &kernel, &core, &failure), 0);
		for (uint32_t i = 0; i < object.programs; i++) {
			struct attach_point point;

			assert_int_equal(attach_resolve(&kernel, &object.program[i], path, &point, &failure), 0);
			assert_int_equal(point.btf_id != 0, point.kind == POINT_BTF || point.kind == POINT_ITER);
		}
		close_copy(copy);
	}
	assert_in_range(attach_prev_argument(&kernel, &failure), 1, 2);
	free(index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_what_the_loader_wants),
		cmocka_unit_test(links_its_maps),
		cmocka_unit_test(keeps_a_path),
		cmocka_unit_test(portable_atomics),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(changed_anywhere),
		cmocka_unit_test(changed_headers),
		cmocka_unit_test(fits_the_running_kernel),
	};

	return cmocka_run_group_tests(tests, unpack_whole, free_whole);
}
