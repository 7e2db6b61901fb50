/* SPDX-License-Identifier: MIT */
/*
 * The whole way of an object file to what the kernel gets: opened, cut down to a path, its maps linked, its accesses fitted.
 * The input is changes to the built-in object, so that it says little and gets far; with its lowest bit set it is a file.
 */
#include "test/fuzz/fuzz.h"

#include "loader/attach.h"
#include "test/fuzz/own.h"

enum { SIZE_MOST = 1 << 18, CHANGES_MAX = 24 };

static uint64_t header(const uint8_t *file, size_t at, size_t size)
{
	uint64_t value = 0;

	memcpy(&value, file + at, size);
	return value;
}

/* Somewhere in the file: anywhere, in the table of section headers, or in a section. */
static size_t place(struct feed *feed, const uint8_t *file, size_t size)
{
	uint8_t how = feed_byte(feed);
	uint64_t headers_at = header(file, 40, 8), sections = header(file, 60, 2), at;

	if (how < 0x20 || headers_at > size - 64 || !sections)
		return (size_t)feed_upto(feed, size - 1);
	at = headers_at + how % sections * 64;
	if (at > size - 64)
		return (size_t)feed_upto(feed, size - 1);
	if (how < 0x80)
		return (size_t)(at + feed_upto(feed, 63));
	at = header(file, at + 24, 8) + feed_upto(feed, header(file, at + 32, 8));
	return at < size ? (size_t)at : size - 1;
}

static struct bytes changed(struct feed *feed)
{
	struct bytes own = own_object();
	size_t size = own.size;
	uint8_t *file = exact_copy(own.data, size), *cut;

	for (unsigned i = 0; i < CHANGES_MAX && feed->left; i++) {
		uint8_t length = feed_byte(feed);
		size_t at = place(feed, file, size);
		uint64_t number;

		if (length == 0xff && at >= 64) {
			size = at;
			break;
		}
		if (length >= 0x80) {		/* as a number of 4 bytes */
			number = feed_number(feed);
			length = size - at < 4 ? (uint8_t)(size - at) : 4;
			memcpy(file + at, &number, length);
			continue;
		}
		length %= 16;
		if (length > size - at)
			length = (uint8_t)(size - at);
		feed_bytes(feed, file + at, length);
	}
	cut = exact_copy(file, size);
	free(file);
	return (struct bytes){ cut, size };
}

static bool inside(const struct arena *arena, const void *at, size_t size)
{
	const uint8_t *from = at;

	return from >= arena->data && size <= arena->used && (size_t)(from - arena->data) <= arena->used - size;
}

static void check_programs(const struct object *object, const struct arena *arena)
{
	MUST(object->programs + object->others <= OBJECT_PROGRAMS_MAX && object->maps <= OBJECT_MAPS_MAX);
	for (uint32_t i = 0; i < object->programs + object->others; i++) {
		const struct object_program *program = &object->program[i];

		MUST(program->count && inside(arena, program->code, program->count * sizeof *program->code));
		MUST(*program->section || !strlen(program->name) || program->name);
	}
	MUST(object->config_at <= object->constants.size - sizeof(struct config));
}

static void use(struct object *object, const struct arena *arena, uint8_t bits)
{
	static struct core core;
	const struct btf *kernel = kernel_types(bits >> 3);
	enum probe_path path = (enum probe_path)((bits >> 1) % PATHS);
	struct failure f[4] = { 0 };
	struct attach_point point;

	object_keep(object, attach_wants, path);
	check_programs(object, arena);
	for (uint32_t i = 0; i < object->programs; i++) {
		MUST(attach_wants(object->program[i].section, path));
		f[0] = (struct failure){ 0 };
		if (attach_resolve(kernel, &object->program[i], path, &point, &f[0]))
			check_failure(&f[0]);
	}
	if (object_fit_kernel(object, kernel, &core, &f[1]))
		check_failure(&f[1]);
	for (uint32_t i = 0; i < object->maps; i++)
		object->map[i].fd = 1000 + (int)i;
	object->constants_fd = 2000;
	if (object_link_maps(object, &f[2]))
		check_failure(&f[2]);
	MUST(!object_find_map(object, "no map") && !object_find_program(object, "no program"));
	for (uint32_t i = 0; i < object->maps; i++)
		MUST(object_find_map(object, object->map[i].name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct object object;
	struct feed feed = feed_over(data, size);
	uint8_t bits = feed_byte(&feed);
	struct failure f = { 0 };
	struct arena arena;
	struct bytes file;
	int error;

	if (bits & 1)
		file = (struct bytes){ exact_copy(feed.at, feed.left), feed.left };
	else
		file = changed(&feed);
	if (file.size <= SIZE_MOST) {
		arena = (struct arena){ .data = calloc(1, object_memory(file.size)), .size = object_memory(file.size) };
		error = object_open(&object, file, &arena, &f);
		MUST(arena.used <= arena.size);
		if (error) {
			MUST(error == f.error);
			check_failure(&f);
		} else {
			use(&object, &arena, bits);
		}
		free(arena.data);
	}
	free((void *)(uintptr_t)file.data);
	return 0;
}
