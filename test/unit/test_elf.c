/* SPDX-License-Identifier: MIT */
/* Headers of the built-in object made wrong by hand, one at a time: the failure names the section and says why. */
#include <elf.h>

#include "test/unit/own_object.h"

#include "loader/object.h"


static struct {
	size_t size;
	uint8_t *file;
	Elf64_Ehdr *header;
	Elf64_Shdr *section;
	Elf64_Sym *symbol;
	unsigned symbols;
	struct failure failure;
} o;

static int setup(void **state)
{
	(void)state;
	o.file = own_object(&o.size);
	o.header = (Elf64_Ehdr *)o.file;
	o.section = (Elf64_Shdr *)(o.file + o.header->e_shoff);
	for (unsigned i = 1; i < o.header->e_shnum; i++) {
		if (o.section[i].sh_type != SHT_SYMTAB)
			continue;
		o.symbol = (Elf64_Sym *)(o.file + o.section[i].sh_offset);
		o.symbols = (unsigned)(o.section[i].sh_size / sizeof(Elf64_Sym));
	}
	assert_non_null(o.symbol);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(o.file);
	return 0;
}

static const char *section_name(const Elf64_Shdr *section)
{
	return (const char *)o.file + o.section[o.header->e_shstrndx].sh_offset + section->sh_name;
}

static Elf64_Shdr *section(const char *name)
{
	for (unsigned i = 1; i < o.header->e_shnum; i++)
		if (o.section[i].sh_type && !strcmp(section_name(&o.section[i]), name))
			return &o.section[i];
	print_error("no section %s\n", name);
	_fail(__FILE__, __LINE__);
	return NULL;
}

static Elf64_Sym *symbol(const char *name)
{
	const Elf64_Shdr *strings = section(".strtab");

	for (unsigned i = 0; i < o.symbols; i++)
		if (!strcmp((const char *)o.file + strings->sh_offset + o.symbol[i].st_name, name))
			return &o.symbol[i];
	print_error("no symbol %s\n", name);
	_fail(__FILE__, __LINE__);
	return NULL;
}

/* Opens the file as it is now; with fit, also fits it to a kernel whose types are its own. */
static int open_and(int fit)
{
	static struct object object;
	static struct core core;
	struct arena arena = { .data = exactly(object_memory(o.size)), .size = object_memory(o.size) };
	int error;

	o.failure = (struct failure){ 0 };
	error = object_open(&object, (struct bytes){ o.file, o.size }, &arena, &o.failure);
	if (!error && fit)
		error = object_link_maps(&object, &o.failure);
	if (!error && fit)
		error = object_fit_kernel(&object, &object.btf, &core, &o.failure);
	free(arena.data);
	return error;
}

static int open_object(void)
{
	return open_and(0);
}

/* Changes one field, wants the failure, and changes it back. */
#define REFUSES(field, value, message)                                                             \
	do {                                                                                       \
		const __typeof__(field) was = (field);                                             \
		(field) = (value);                                                                 \
		assert_int_equal(open_object(), -22);                                              \
		check_failure(&o.failure, "read probe object, " message);                          \
		(field) = was;                                                                     \
		assert_int_equal(open_object(), 0);                                                \
	} while (0)

static void file_headers(void **state)
{
	(void)state;
	REFUSES(o.header->e_ident[EI_MAG0], 0, "ELF header: EINVAL: not a 64-bit little-endian ELF file");
	REFUSES(o.header->e_ident[EI_CLASS], ELFCLASS32, "ELF header: EINVAL: not a 64-bit");
	REFUSES(o.header->e_ident[EI_DATA], ELFDATA2MSB, "ELF header: EINVAL: not a 64-bit");
	REFUSES(o.header->e_ident[EI_VERSION], 2, "ELF header: EINVAL: not a 64-bit");
	REFUSES(o.header->e_machine, EM_X86_64, "ELF header: EINVAL: not a relocatable BPF object");
	REFUSES(o.header->e_type, ET_EXEC, "ELF header: EINVAL: not a relocatable BPF object");
	REFUSES(o.header->e_shentsize, 63, "section headers: EINVAL: outside the file, or too many");
	REFUSES(o.header->e_shnum, 0, "section headers: EINVAL: outside");
	REFUSES(o.header->e_shnum, o.header->e_shnum + 1, "section headers: EINVAL: outside");
	REFUSES(o.header->e_shnum, UINT16_MAX, "section headers: EINVAL: outside");
	REFUSES(o.header->e_shoff, o.size, "section headers: EINVAL: outside");
	REFUSES(o.header->e_shoff, UINT64_MAX - 63, "section headers: EINVAL: outside");
	REFUSES(o.header->e_shoff, o.header->e_shoff + 1, "section headers: EINVAL: outside");
	REFUSES(o.header->e_shstrndx, o.header->e_shnum, "section headers: EINVAL: outside");
	REFUSES(o.header->e_shstrndx, 0, "section names: EINVAL: outside the file");
	REFUSES(o.header->e_shstrndx, 3, "section names: EINVAL: outside the file");
}

/* As many sections as there may be, and one more: all but the object's own are empty. */
static void many_sections(void **state)
{
	size_t size = o.header->e_shnum * sizeof(Elf64_Shdr);
	uint8_t *file = exactly(o.size + (ELF_SECTIONS_MAX + 1) * sizeof(Elf64_Shdr));

	(void)state;
	memcpy(file, o.file, o.size);
	memcpy(file + o.size, o.section, size);
	free(o.file);
	o.file = file;
	o.header = (Elf64_Ehdr *)file;
	o.header->e_shoff = o.size;
	o.size += (ELF_SECTIONS_MAX + 1) * sizeof(Elf64_Shdr);
	o.header->e_shnum = ELF_SECTIONS_MAX;
	assert_int_equal(open_object(), 0);
	REFUSES(o.header->e_shnum, ELF_SECTIONS_MAX + 1, "section headers: EINVAL: outside the file, or too many");
}

static void section_headers(void **state)
{
	Elf64_Shdr *s = section("tp_btf/sched_switch");

	(void)state;
	REFUSES(s->sh_name, UINT32_MAX, "section headers: EINVAL: a name outside the string table");
	REFUSES(s->sh_offset, o.size, "tp_btf/sched_switch: EINVAL: section outside the file");
	REFUSES(s->sh_offset, UINT64_MAX, "tp_btf/sched_switch: EINVAL: section outside the file");
	REFUSES(s->sh_size, UINT64_MAX, "tp_btf/sched_switch: EINVAL: section outside the file");
	REFUSES(s->sh_size, o.size, "tp_btf/sched_switch: EINVAL: section outside the file");
	REFUSES(s->sh_type, SHT_NOBITS, "tp_btf/sched_switch: EINVAL: a section without contents");
	s = section(".strtab");
	REFUSES(s->sh_offset, o.size, "section names: EINVAL: outside the file");
	REFUSES(s->sh_size, 0, "section headers: EINVAL: a name outside the string table");
	REFUSES(s->sh_type, SHT_PROGBITS, "section names: EINVAL: outside the file");
	s = section(".rodata");
	REFUSES(s->sh_size, 15, "config: EINVAL: not the struct this loader knows");
	REFUSES(s->sh_name, section(".maps")->sh_name, ".maps or .rodata: EINVAL: missing");
	s = section("license");
	REFUSES(s->sh_size, 12, "license: EINVAL: missing");	/* its NUL is cut off */
	REFUSES(s->sh_name, 0, "license: EINVAL: missing");
	REFUSES(s->sh_name, section(".maps")->sh_name, "license: EINVAL: missing");
	s = section(".maps");
	REFUSES(s->sh_type, SHT_NOBITS, ".maps: EINVAL: a section without contents");
	REFUSES(s->sh_size, 100, "pids_map: EINVAL: a map definition outside its section");
	REFUSES(s->sh_size, s->sh_size - 1, "tenancy_map: EINVAL: a map definition outside its section");
}

/* A damaged .BTF is named by what reads it. */
static void btf_sections(void **state)
{
	Elf64_Shdr *s = section(".BTF");
	uint8_t *btf = o.file + s->sh_offset;

	(void)state;
	REFUSES(s->sh_name, section(".maps")->sh_name, ".BTF: EINVAL: missing");
	btf[0]++;
	assert_int_equal(open_object(), -22);
	check_failure(&o.failure, "read BTF of the probe object: EINVAL: no BTF of version 1");
	btf[0]--;
	s->sh_size--;
	assert_int_equal(open_object(), -22);
	check_failure(&o.failure, "read BTF of the probe object: EINVAL: types or strings outside the data");
}

static void symbol_tables(void **state)
{
	Elf64_Shdr *s = section(".symtab"), *other = section(".BTF.ext");
	Elf64_Sym *program = symbol("on_switch"), *map = symbol("slots_map"), *config = symbol("config");

	(void)state;
	REFUSES(s->sh_type, SHT_PROGBITS, ".symtab: EINVAL: missing");
	REFUSES(s->sh_entsize, 16, ".symtab: EINVAL: entry size or string table");
	REFUSES(s->sh_link, o.header->e_shnum, ".symtab: EINVAL: entry size or string table");
	REFUSES(s->sh_link, 3, ".symtab: EINVAL: outside the file");
	REFUSES(other->sh_type, SHT_SYMTAB, ".symtab: EINVAL: entry size or string table");
	REFUSES(*other, *s, ".symtab: EINVAL: more than one symbol table");
	REFUSES(program->st_name, UINT32_MAX, ".symtab: EINVAL: a name outside the string table");
	REFUSES(program->st_shndx, o.header->e_shnum, ".symtab: EINVAL: a symbol of a section that does not exist");
	REFUSES(program->st_value, 8, "tp_btf/sched_switch: EINVAL: a program must fill its section");
	REFUSES(program->st_size, program->st_size - 8, "tp_btf/sched_switch: EINVAL: a program must fill");
	REFUSES(program->st_size, UINT64_MAX, "tp_btf/sched_switch: EINVAL: a program must fill");
	REFUSES(map->st_size, 24, "slots_map: EINVAL: a map definition outside its section");
	REFUSES(map->st_value, UINT64_MAX, "slots_map: EINVAL: a map definition outside its section");
	REFUSES(map->st_value, 1ull << 32, "slots_map: EINVAL: a map definition outside its section");
	REFUSES(config->st_size, 15, "config: EINVAL: not the struct this loader knows");
	REFUSES(config->st_value, 1, "config: EINVAL: not the struct this loader knows");
	REFUSES(config->st_value, UINT64_MAX - 7, "config: EINVAL: not the struct this loader knows");
	REFUSES(config->st_name, map->st_name, "config: EINVAL: missing from .rodata");
}

static void two_of_one(void **state)
{
	Elf64_Sym *free_symbol = &o.symbol[1];
	unsigned more = OBJECT_MAPS_MAX - 11;

	(void)state;
	*free_symbol = *symbol("config");
	assert_int_equal(open_object(), -22);
	check_failure(&o.failure, "config: EINVAL: missing from .rodata");
	*free_symbol = *symbol("on_switch");
	assert_int_equal(open_object(), -22);
	check_failure(&o.failure, "tp_btf/sched_switch: EINVAL: two programs in one section");
	for (unsigned i = 0; i < more; i++)
		o.symbol[1 + i] = *symbol("slots_map");
	assert_int_equal(open_object(), 0);
	o.symbol[1 + more] = *symbol("slots_map");
	assert_int_equal(open_object(), -22);
	check_failure(&o.failure, "_map: EINVAL: too many maps");
}

static void relocations(void **state)
{
	Elf64_Shdr *s = section(".reltp_btf/sched_switch");
	Elf64_Rel *first = (Elf64_Rel *)(o.file + s->sh_offset);

	(void)state;
	REFUSES(s->sh_entsize, 24, ".reltp_btf/sched_switch: EINVAL: entry size, symbol table or target");
	REFUSES(s->sh_link, 3, ".reltp_btf/sched_switch: EINVAL: entry size, symbol table or target");
	REFUSES(s->sh_info, o.header->e_shnum, ".reltp_btf/sched_switch: EINVAL: entry size, symbol table");
	REFUSES(s->sh_info, UINT32_MAX, ".reltp_btf/sched_switch: EINVAL: entry size, symbol table or target");
	REFUSES(first->r_offset, section("tp_btf/sched_switch")->sh_size,
		".reltp_btf/sched_switch: EINVAL: a relocation outside symbols or target");
	REFUSES(first->r_offset, UINT64_MAX, ".reltp_btf/sched_switch: EINVAL: a relocation outside");
	REFUSES(first->r_info, (uint64_t)o.symbols << 32 | 1,
		".reltp_btf/sched_switch: EINVAL: a relocation outside symbols or target");
	o.section[0].sh_size = o.size;	/* the null section has no contents, whatever it says */
	REFUSES(s->sh_info, 0, ".reltp_btf/sched_switch: EINVAL: entry size, symbol table or target");
}

/* What relocations refer to is checked when maps are linked. */
static void references(void **state)
{
	Elf64_Shdr *s = section(".reltp_btf/sched_switch");
	Elf64_Rel *first = (Elf64_Rel *)(o.file + s->sh_offset), was = *first;
	Elf64_Sym *map = &o.symbol[ELF64_R_SYM(first->r_info)], map_was = *map;
	static const uint64_t offsets[] = { 1, 8 };

	(void)state;
	assert_int_equal(open_and(1), 0);
	for (size_t i = 0; i < COUNT_OF(offsets); i++) {
		first->r_offset = was.r_offset + offsets[i];
		assert_int_equal(open_and(1), -22);
		check_failure(&o.failure, "tp_btf/sched_switch: EINVAL: a relocation that is no map reference");
	}
	first->r_offset = section("tp_btf/sched_switch")->sh_size - 8;
	assert_int_equal(open_and(1), -22);
	check_failure(&o.failure, "tp_btf/sched_switch: EINVAL: a relocation that is no map reference");
	/* the last instruction cannot be the first half of two */
	o.file[section("tp_btf/sched_switch")->sh_offset + first->r_offset] = 0x18;
	assert_int_equal(open_and(1), -22);
	check_failure(&o.failure, "tp_btf/sched_switch: EINVAL: a relocation that is no map reference");
	*first = was;
	first->r_info = ELF64_R_INFO(ELF64_R_SYM(was.r_info), 10);	/* R_BPF_64_32: a call */
	assert_int_equal(open_and(1), -22);
	check_failure(&o.failure, "tp_btf/sched_switch: EINVAL: a relocation that is no map reference");
	*first = was;
	map->st_info = ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE);	/* then it is no map */
	assert_int_equal(open_and(1), -22);
	check_failure(&o.failure, "EINVAL: a reference to something that is no map");
	*map = map_was;
	first->r_info = ELF64_R_INFO(0, 1);
	assert_int_equal(open_and(1), -22);
	check_failure(&o.failure, "tp_btf/sched_switch: EINVAL: a reference to something that is no map");
}

static void extensions(void **state)
{
	enum { MAGIC, HEADER_SIZE, RELOCATIONS_AT = 6, RELOCATIONS_SIZE };
	Elf64_Shdr *s = section(".BTF.ext");
	uint32_t *header = (uint32_t *)(o.file + s->sh_offset);
	uint32_t *list = (uint32_t *)((uint8_t *)header + header[HEADER_SIZE] + header[RELOCATIONS_AT]);
	struct {
		uint32_t *word, value;
		const char *want;
	} rows[] = {
		{ &header[MAGIC], 0x0002eb9f, ".BTF.ext: EINVAL: no list of relocations inside" },
		{ &header[HEADER_SIZE], 24, ".BTF.ext: EINVAL: no list of relocations inside" },
		{ &header[HEADER_SIZE], UINT32_MAX, ".BTF.ext: EINVAL: no list of relocations inside" },
		{ &header[RELOCATIONS_AT], UINT32_MAX, ".BTF.ext: EINVAL: no list of relocations inside" },
		{ &header[RELOCATIONS_SIZE], UINT32_MAX, ".BTF.ext: EINVAL: no list of relocations inside" },
		{ &header[RELOCATIONS_SIZE], 0, ".BTF.ext: EINVAL: record size" },
		{ &header[RELOCATIONS_SIZE], 8, ".BTF.ext: EINVAL: a list is cut off" },
		{ &header[RELOCATIONS_SIZE], 20, ".BTF.ext: EINVAL: a list of no program, or cut off" },
		{ &list[0], 15, ".BTF.ext: EINVAL: record size" },
		{ &list[0], UINT32_MAX, ".BTF.ext: EINVAL: a list of no program, or cut off" },
		{ &list[1], 0, ".BTF.ext: EINVAL: a list of no program, or cut off" },
		{ &list[1], UINT32_MAX, ".BTF.ext: EINVAL: a list of no program, or cut off" },
		{ &list[2], 1u << 28, ".BTF.ext: EINVAL: a list of no program, or cut off" },	/* x 16 is 2^32 */
		{ &list[2], UINT32_MAX, ".BTF.ext: EINVAL: a list of no program, or cut off" },
		{ &list[3], list[3] + 1, "an instruction does not fit this kernel's type" },
		{ &list[3], 0xfffffff8, "an instruction does not fit this kernel's type" },
		{ &list[4], 0, "the probe's own record of the access makes no sense" },
		{ &list[4], UINT32_MAX, "the probe's own record of the access makes no sense" },
		{ &list[5], UINT32_MAX, "the probe's own record of the access makes no sense" },
		{ &list[6], 99, "the probe's own record of the access makes no sense" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint32_t was = *rows[i].word;
		int error;

		*rows[i].word = rows[i].value;
		error = open_and(1);
		if (error >= 0)
			print_error("row %zu\n", i);
		assert_true(error < 0);
		check_failure(&o.failure, rows[i].want);
		*rows[i].word = was;
	}
	s->sh_name = section(".BTF")->sh_name;
	assert_int_equal(open_and(1), -22);
	check_failure(&o.failure, ".BTF.ext: EINVAL: missing");
}

/* Wherever the file begins: nothing in it need be aligned. */
static void any_alignment(void **state)
{
	uint8_t *room = exactly(o.size + 8);

	(void)state;
	for (size_t shift = 0; shift < 8; shift++) {
		struct failure failure = { 0 };
		struct elf elf;

		memcpy(room + shift, o.file, o.size);
		assert_int_equal(elf_open(&elf, (struct bytes){ room + shift, o.size }, &failure), 0);
		assert_int_equal(elf.sections, o.header->e_shnum);
		assert_int_equal(elf.symbols, o.symbols);
	}
	free(room);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(file_headers),  TEST(section_headers), TEST(btf_sections),	 TEST(symbol_tables),
		TEST(two_of_one),    TEST(relocations),   TEST(references),   TEST(extensions),
		TEST(many_sections),	    TEST(any_alignment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
