/* SPDX-License-Identifier: MIT */
#include "loader/object.h"

#include "loader/sys.h"

enum { RELOCATION_64 = 1 /* R_BPF_64_64: ld_imm64 */, LD_IMM64 = 0x18, PSEUDO_MAP_FD = 1, PSEUDO_MAP_VALUE = 2 };
enum { ARENA_ALIGN = 16, INSTRUCTIONS_MAX = 65536 };

static int bad(struct failure *f, const char *what, const char *why)
{
	return fail(f, -SYS_EINVAL, "read probe object,", what, why);
}

void *arena_take(struct arena *arena, size_t size)
{
	size_t at = (arena->used + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);

	if (at > arena->size || size > arena->size - at)
		return NULL;
	arena->used = at + size;
	return arena->data + at;
}

size_t object_memory(size_t file_size)
{
	/* instructions and BTF are parts of the file; the index has an entry per 12 bytes of BTF */
	return file_size * 3 + 4096;
}

/* ---- what the sections hold */

static int add_program(struct object *object, const struct elf_symbol *symbol, struct arena *arena,
		       struct failure *f)
{
	struct elf_section section = elf_section(&object->elf, symbol->section);
	struct object_program *program = &object->program[object->programs];
	size_t size = section.data.size;

	if (object->programs == OBJECT_PROGRAMS_MAX)
		return bad(f, section.name, "too many programs");
	if (symbol->value || symbol->size != size || !size || size % sizeof(struct instruction) ||
	    size / sizeof(struct instruction) > INSTRUCTIONS_MAX)
		return bad(f, section.name, "a program must fill its section");
	for (uint32_t i = 0; i < object->programs; i++)
		if (object->program[i].section_index == symbol->section)
			return bad(f, section.name, "two programs in one section");
	*program = (struct object_program){
		.name = symbol->name,
		.section = section.name,
		.section_index = symbol->section,
		.code = arena_take(arena, size),
		.count = (uint32_t)(size / sizeof(struct instruction)),
	};
	if (!program->code)
		return fail(f, -SYS_ENOMEM, "read probe object,", section.name, NULL);
	memcpy(program->code, section.data.data, size);
	object->programs++;
	return 0;
}

static int add_map(struct object *object, const struct elf_symbol *symbol, struct failure *f)
{
	struct elf_section section = elf_section(&object->elf, symbol->section);
	struct object_map *map = &object->map[object->maps];

	if (object->maps == OBJECT_MAPS_MAX)
		return bad(f, symbol->name, "too many maps");
	if (symbol->size != sizeof map->definition ||
	    !bytes_copy(section.data, symbol->value, &map->definition, sizeof map->definition))
		return bad(f, symbol->name, "a map definition outside its section");
	map->name = symbol->name;
	map->at = (uint32_t)symbol->value;
	map->fd = -1;
	map->wanted = true;
	object->maps++;
	return 0;
}

static int add_symbol(struct object *object, const struct elf_symbol *symbol, struct arena *arena,
		      struct failure *f)
{
	struct elf_section section;

	if (!symbol->section)
		return 0;
	section = elf_section(&object->elf, symbol->section);
	if (symbol->type == ELF_FUNC && section.flags & ELF_EXECINSTR)
		return add_program(object, symbol, arena, f);
	if (symbol->type != ELF_OBJECT)
		return 0;
	if (symbol->section == object->maps_section)
		return add_map(object, symbol, f);
	if (symbol->section != object->constants_section || !string_equal(symbol->name, "config"))
		return 0;
	if (symbol->size != sizeof(struct config) ||
	    !bytes_at(object->constants, symbol->value, symbol->size))
		return bad(f, "config", "not the struct this loader knows");
	object->config_at = (uint32_t)symbol->value;
	return 1;
}

static int open_btf(struct object *object, struct arena *arena, struct failure *f)
{
	struct elf_section section;
	uint32_t *index;
	uint8_t *copy;

	if (!elf_find(&object->elf, ".BTF", &section))
		return bad(f, ".BTF", "missing");
	copy = arena_take(arena, section.data.size);
	index = arena_take(arena, btf_index_entries(section.data) * sizeof *index);
	if (!copy || !index)
		return fail(f, -SYS_ENOMEM, "read probe object,", ".BTF", NULL);
	memcpy(copy, section.data.data, section.data.size);
	section.data.data = copy;
	return btf_open(&object->btf, section.data, index, "the probe object", f);
}

/* The sections that stand once: license, .maps, .rodata. */
static int open_sections(struct object *object, struct failure *f)
{
	for (uint32_t i = 1; i < object->elf.sections; i++) {
		struct elf_section section = elf_section(&object->elf, i);

		if (string_equal(section.name, "license")) {
			object->license = bytes_string(section.data, 0);
		} else if (string_equal(section.name, ".maps")) {
			object->maps_section = i;
		} else if (string_equal(section.name, ".rodata")) {
			object->constants_section = i;
			object->constants = section.data;
		}
	}
	if (!object->license)
		return bad(f, "license", "missing");
	return object->maps_section && object->constants_section ? 0 :
								   bad(f, ".maps or .rodata", "missing");
}

int object_open(struct object *object, struct bytes file, struct arena *arena, struct failure *f)
{
	int error, configs = 0;

	*object = (struct object){ .constants_fd = -1 };
	error = elf_open(&object->elf, file, f);
	if (!error)
		error = open_sections(object, f);
	if (!error)
		error = open_btf(object, arena, f);
	for (uint32_t i = 0; !error && i < object->elf.symbols; i++) {
		struct elf_symbol symbol = elf_symbol(&object->elf, i);

		error = add_symbol(object, &symbol, arena, f);
		if (error > 0) {
			configs++;
			error = 0;
		}
	}
	if (!error && configs != 1)
		error = bad(f, "config", "missing from .rodata");
	return error;
}

struct object_map *object_find_map(struct object *object, const char *name)
{
	for (uint32_t i = 0; i < object->maps; i++)
		if (string_equal(object->map[i].name, name))
			return &object->map[i];
	return NULL;
}

struct object_program *object_find_program(struct object *object, const char *name)
{
	for (uint32_t i = 0; i < object->programs; i++)
		if (string_equal(object->program[i].name, name))
			return &object->program[i];
	return NULL;
}

/* ---- references to maps */

/*
 * ld_imm64 takes two instructions; its source register says what the immediate is: a map's descriptor, or with
 * PSEUDO_MAP_VALUE also an offset into the map's value, in the second half.
 */
static int link_one(struct object *object, struct object_program *program, const struct elf_relocation *r,
		    struct failure *f)
{
	struct elf_symbol symbol = elf_symbol(&object->elf, r->symbol);
	uint64_t index = r->offset / sizeof(struct instruction);
	struct instruction *at = &program->code[index];

	if (r->type != RELOCATION_64 || r->offset % sizeof *at || index + 1 >= program->count ||
	    at->code != LD_IMM64)
		return bad(f, program->section, "a relocation that is no map reference");
	if (symbol.section == object->constants_section) {
		at[0].registers = (uint8_t)((at[0].registers & 0xf) | PSEUDO_MAP_VALUE << 4);
		at[1].immediate = (int32_t)((uint32_t)symbol.value + (uint32_t)at[0].immediate);
		at[0].immediate = object->constants_fd;
		return 0;
	}
	for (uint32_t i = 0; symbol.section == object->maps_section && i < object->maps; i++) {
		if (object->map[i].at != symbol.value)
			continue;
		at[0].registers = (uint8_t)((at[0].registers & 0xf) | PSEUDO_MAP_FD << 4);
		at[0].immediate = object->map[i].fd;
		return 0;
	}
	return bad(f, program->section, "a reference to something that is no map");
}

static struct object_program *program_of_section(struct object *object, uint32_t section)
{
	for (uint32_t i = 0; i < object->programs; i++)
		if (object->program[i].section_index == section)
			return &object->program[i];
	return NULL;
}

int object_link_maps(struct object *object, struct failure *f)
{
	int error = 0;

	for (uint32_t i = 1; i < object->elf.sections; i++) {
		struct elf_section section = elf_section(&object->elf, i);
		struct object_program *program;

		if (section.type != ELF_REL)
			continue;
		program = program_of_section(object, section.info);
		for (uint32_t k = 0; program && !error && k < elf_relocations(&section); k++) {
			struct elf_relocation r = elf_relocation(&section, k);

			error = link_one(object, program, &r, f);
		}
	}
	return error;
}

static void want_maps(struct object *object)
{
	for (uint32_t i = 0; i < object->maps; i++)
		object->map[i].wanted = false;
	for (uint32_t i = 1; i < object->elf.sections; i++) {
		struct elf_section section = elf_section(&object->elf, i);

		if (section.type != ELF_REL || !program_of_section(object, section.info))
			continue;
		for (uint32_t k = 0; k < elf_relocations(&section); k++) {
			struct elf_relocation r = elf_relocation(&section, k);
			struct elf_symbol symbol = elf_symbol(&object->elf, r.symbol);

			for (uint32_t m = 0; symbol.section == object->maps_section && m < object->maps; m++)
				if (object->map[m].at == symbol.value)
					object->map[m].wanted = true;
		}
	}
}

void object_keep(struct object *object, bool (*wants)(const char *section, enum probe_path path),
		 enum probe_path path)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < object->programs; i++) {
		struct object_program program = object->program[i];

		if (!wants(program.section, path))
			continue;
		object->program[i] = object->program[kept];
		object->program[kept++] = program;
	}
	object->others += object->programs - kept;
	object->programs = kept;
	want_maps(object);
}

/* ---- CO-RE: section .BTF.ext, a list of relocations for each program section */

struct extension_header {
	uint16_t magic;
	uint8_t version, flags;
	uint32_t header_size;
	uint32_t functions_at, functions_size, lines_at, lines_size;
	uint32_t relocations_at, relocations_size;
};

static int relocation_part(struct object *object, struct bytes *part, struct failure *f)
{
	struct extension_header header;
	struct elf_section section;

	if (!elf_find(&object->elf, ".BTF.ext", &section))
		return bad(f, ".BTF.ext", "missing");
	if (!bytes_copy(section.data, 0, &header, sizeof header) || header.version != 1 ||
	    header.header_size < sizeof header ||
	    !bytes_part(section.data, (uint64_t)header.header_size + header.relocations_at,
			header.relocations_size, part))
		return bad(f, ".BTF.ext", "no list of relocations inside");
	return 0;
}

typedef int (*relocation_visitor)(struct object *object, struct core *core, struct object_program *program,
				  const struct core_relocation *r, struct failure *f);

/* Calls visit for each relocation of each program that is to be loaded. */
static int for_each_relocation(struct object *object, struct core *core, relocation_visitor visit,
			       struct failure *f)
{
	struct bytes part;
	uint32_t record_size, info[2];	/* section name, number of records */
	uint64_t at = sizeof record_size;
	int error = relocation_part(object, &part, f);

	if (error)
		return error;
	if (!bytes_copy(part, 0, &record_size, sizeof record_size) ||
	    record_size < sizeof(struct core_relocation))
		return bad(f, ".BTF.ext", "record size");
	while (at < part.size) {
		uint32_t index = 0, all = object->programs + object->others;
		const char *name;

		if (!bytes_copy(part, at, info, sizeof info))
			return bad(f, ".BTF.ext", "a list is cut off");
		at += sizeof info;
		name = bytes_string(object->btf.strings, info[0]);
		while (name && index < all && !string_equal(object->program[index].section, name))
			index++;
		if (!name || index == all || !bytes_at(part, at, (uint64_t)info[1] * record_size))
			return bad(f, ".BTF.ext", "a list of no program, or cut off");
		if (index >= object->programs) {
			at += (uint64_t)info[1] * record_size;
			continue;
		}
		for (uint32_t i = 0; i < info[1]; i++, at += record_size) {
			struct core_relocation r;

			bytes_copy(part, at, &r, sizeof r);
			error = visit(object, core, &object->program[index], &r, f);
			if (error)
				return error;
		}
	}
	return 0;
}

static int visit_root(struct object *object, struct core *core, struct object_program *program,
		      const struct core_relocation *r, struct failure *f)
{
	(void)object;
	(void)program;
	return core_add_root(core, r->type, f);
}

static int visit_patch(struct object *object, struct core *core, struct object_program *program,
		       const struct core_relocation *r, struct failure *f)
{
	struct core_value assumed, actual;
	int error = core_resolve(core, r, &assumed, &actual, f);

	(void)object;
	if (error)
		return error;
	if (r->instruction_at % sizeof(struct instruction) ||
	    core_patch(program->code, program->count, r->instruction_at / sizeof(struct instruction),
		       &assumed, &actual, r->kind))
		return fail(f, -SYS_EINVAL, "relocate", program->section,
			    "an instruction does not fit this kernel's type");
	return 0;
}

int object_fit_kernel(struct object *object, const struct btf *kernel, struct core *core, struct failure *f)
{
	int error;

	core_open(core, &object->btf, kernel);
	error = for_each_relocation(object, core, visit_root, f);
	if (!error)
		error = core_find_candidates(core, f);
	return error ? error : for_each_relocation(object, core, visit_patch, f);
}
