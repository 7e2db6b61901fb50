/* SPDX-License-Identifier: MIT */
/*
 * The probe's object file as what the kernel wants: maps, and programs whose instructions refer to the maps and
 * fit the kernel's types. Nothing here talks to the kernel.
 */
#ifndef RSTAT_LOADER_OBJECT_H
#define RSTAT_LOADER_OBJECT_H

#include "loader/core.h"
#include "loader/elf.h"
#include "probe/abi.h"

enum { OBJECT_MAPS_MAX = 16, OBJECT_PROGRAMS_MAX = 32, OBJECT_NAME_SIZE = 16 };

struct object_map {
	const char *name;		/* the symbol's */
	struct map_definition definition;
	uint32_t at;			/* in the section .maps */
	bool wanted;			/* by a program that is to be loaded */
	int fd;				/* -1 until the loader has created it */
};

struct object_program {
	const char *name;		/* the function's */
	const char *section;		/* says type and attachment: "tp_btf/sched_switch" */
	uint32_t section_index;
	struct instruction *code;
	uint32_t count;
};

struct object {
	struct elf elf;
	struct btf btf;
	const char *license;
	uint32_t maps;
	uint32_t programs;		/* to be loaded */
	uint32_t others;		/* behind them in program[]: left out by object_keep() */
	struct object_map map[OBJECT_MAPS_MAX];
	struct object_program program[OBJECT_PROGRAMS_MAX];
	struct bytes constants;		/* .rodata */
	uint32_t config_at;		/* struct config in it */
	uint32_t maps_section, constants_section;
	int constants_fd;		/* the map that holds .rodata, or -1 */
};

/* Temporary memory, given out front to back and freed as a whole. */
struct arena {
	uint8_t *data;
	size_t size, used;
};

/* size bytes, zeroed and aligned to 16, or NULL where the arena is used up. */
void *arena_take(struct arena *arena, size_t size);

/* What object_open() takes from the arena at most, for an object file of that size. */
size_t object_memory(size_t file_size);

/*
 * 0, or -EINVAL with the failure naming section or symbol. The instructions are copied into the arena; all else
 * refers to file.
 */
int object_open(struct object *object, struct bytes file, struct arena *arena, struct failure *f);

/*
 * Leaves out the programs of other paths: they are not fitted, linked or loaded, and maps that only they use are not
 * wanted. Until then all programs and maps are.
 */
void object_keep(struct object *object, bool (*wants)(const char *section, enum probe_path path),
		 enum probe_path path);

/* Writes the maps' descriptors into the instructions that refer to them. All wanted maps must have been created. */
int object_link_maps(struct object *object, struct failure *f);

/* Fits all programs to the kernel's types. core is caller's memory (it is large). */
int object_fit_kernel(struct object *object, const struct btf *kernel, struct core *core, struct failure *f);

/* The map or program of that name, or NULL. */
struct object_map *object_find_map(struct object *object, const char *name);
struct object_program *object_find_program(struct object *object, const char *name);

#endif
