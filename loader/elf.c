/* SPDX-License-Identifier: MIT */
#include "loader/elf.h"

#include "loader/sys.h"

struct file_header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, program_headers_at, section_headers_at;
	uint32_t flags;
	uint16_t size, program_header_size, program_headers;
	uint16_t section_header_size, section_headers, section_names;
};

struct section_header {
	uint32_t name, type;
	uint64_t flags, address, offset, size;
	uint32_t link, info;
	uint64_t alignment, entry_size;
};

struct symbol {
	uint32_t name;
	uint8_t info, other;
	uint16_t section;
	uint64_t value, size;
};

struct relocation {
	uint64_t offset, info;
};

_Static_assert(sizeof(struct file_header) == 64, "Elf64_Ehdr");
_Static_assert(sizeof(struct section_header) == 64, "Elf64_Shdr");
_Static_assert(sizeof(struct symbol) == 24, "Elf64_Sym");
_Static_assert(sizeof(struct relocation) == 16, "Elf64_Rel");

enum { NOBITS = 8, MACHINE_BPF = 247, TYPE_RELOCATABLE = 1, FIRST_RESERVED = 0xff00 };

static int bad(struct failure *f, const char *what, const char *why)
{
	return fail(f, -SYS_EINVAL, "read probe object,", what, why);
}

static struct section_header header_of(const struct elf *elf, uint32_t index)
{
	struct section_header header = { 0 };

	bytes_copy(elf->file, elf->headers_at + (uint64_t)index * sizeof header, &header, sizeof header);
	return header;
}

static int check_file_header(struct elf *elf, struct file_header *header, struct failure *f)
{
	static const uint8_t ident[7] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };	/* 64-bit, little-endian, version 1 */

	if (!bytes_copy(elf->file, 0, header, sizeof *header) ||
	    memcmp(header->ident, ident, sizeof ident))
		return bad(f, "ELF header", "not a 64-bit little-endian ELF file");
	if (header->machine != MACHINE_BPF || header->type != TYPE_RELOCATABLE)
		return bad(f, "ELF header", "not a relocatable BPF object");
	if (header->section_header_size != sizeof(struct section_header) || !header->section_headers ||
	    header->section_headers > ELF_SECTIONS_MAX ||
	    header->section_names >= header->section_headers ||
	    !bytes_at(elf->file, header->section_headers_at,
		      header->section_headers * sizeof(struct section_header)))
		return bad(f, "section headers", "outside the file, or too many");
	elf->headers_at = header->section_headers_at;
	elf->sections = header->section_headers;
	return 0;
}

static int check_symbol_table(struct elf *elf, const struct section_header *header, struct failure *f)
{
	struct section_header names;

	if (elf->symbols)
		return bad(f, ".symtab", "more than one symbol table");
	if (header->entry_size != sizeof(struct symbol) || header->link >= elf->sections)
		return bad(f, ".symtab", "entry size or string table");
	names = header_of(elf, header->link);
	if (names.type != ELF_STRTAB ||
	    !bytes_part(elf->file, names.offset, names.size, &elf->symbol_names) ||
	    !bytes_part(elf->file, header->offset, header->size, &elf->symbol_table))
		return bad(f, ".symtab", "outside the file");
	elf->symbols = (uint32_t)(header->size / sizeof(struct symbol));
	for (uint32_t i = 0; i < elf->symbols; i++) {
		struct symbol symbol = { 0 };

		bytes_copy(elf->symbol_table, (uint64_t)i * sizeof symbol, &symbol, sizeof symbol);
		if (!bytes_string(elf->symbol_names, symbol.name))
			return bad(f, ".symtab", "a name outside the string table");
		if (symbol.section >= elf->sections && symbol.section < FIRST_RESERVED)
			return bad(f, ".symtab", "a symbol of a section that does not exist");
	}
	return 0;
}

static int check_sections(struct elf *elf, struct failure *f)
{
	for (uint32_t i = 1; i < elf->sections; i++) {
		struct section_header header = header_of(elf, i);
		const char *name = bytes_string(elf->section_names, header.name);
		int error = 0;

		if (!name)
			return bad(f, "section headers", "a name outside the string table");
		if (header.type != NOBITS && !bytes_at(elf->file, header.offset, header.size))
			return bad(f, name, "section outside the file");
		if (header.type == NOBITS && header.size)
			return bad(f, name, "a section without contents: the probe has no such variables");
		if (header.type == ELF_SYMTAB)
			error = check_symbol_table(elf, &header, f);
		if (error)
			return error;
	}
	return elf->symbols ? 0 : bad(f, ".symtab", "missing");
}

static int check_relocations(const struct elf *elf, struct failure *f)
{
	for (uint32_t i = 1; i < elf->sections; i++) {
		struct section_header header = header_of(elf, i), target;
		struct elf_section section = elf_section(elf, i);

		if (header.type != ELF_REL)
			continue;
		if (header.entry_size != sizeof(struct relocation) || !header.info || header.info >= elf->sections ||
		    header_of(elf, header.link < elf->sections ? header.link : 0).type != ELF_SYMTAB)
			return bad(f, section.name, "entry size, symbol table or target");
		target = header_of(elf, header.info);
		for (uint32_t k = 0; k < elf_relocations(&section); k++) {
			struct elf_relocation r = elf_relocation(&section, k);

			if (r.symbol >= elf->symbols || r.offset >= target.size)
				return bad(f, section.name, "a relocation outside symbols or target");
		}
	}
	return 0;
}

int elf_open(struct elf *elf, struct bytes file, struct failure *f)
{
	struct file_header header;
	struct section_header names;
	int error;

	*elf = (struct elf){ .file = file };
	error = check_file_header(elf, &header, f);
	if (error)
		return error;
	names = header_of(elf, header.section_names);
	if (names.type != ELF_STRTAB ||
	    !bytes_part(file, names.offset, names.size, &elf->section_names))
		return bad(f, "section names", "outside the file");
	error = check_sections(elf, f);
	return error ? error : check_relocations(elf, f);
}

struct elf_section elf_section(const struct elf *elf, uint32_t index)
{
	struct section_header header = header_of(elf, index);
	const char *name = bytes_string(elf->section_names, header.name);
	struct elf_section section = { name ? name : "", header.type, header.info, header.flags, { 0 } };

	if (header.type != NOBITS)
		bytes_part(elf->file, header.offset, header.size, &section.data);
	return section;
}

struct elf_symbol elf_symbol(const struct elf *elf, uint32_t index)
{
	struct symbol symbol = { 0 };
	const char *name;

	bytes_copy(elf->symbol_table, (uint64_t)index * sizeof symbol, &symbol, sizeof symbol);
	name = bytes_string(elf->symbol_names, symbol.name);
	return (struct elf_symbol){
		.name = name ? name : "",
		.type = symbol.info & 0xf,
		.section = symbol.section < elf->sections ? symbol.section : 0,
		.value = symbol.value,
		.size = symbol.size,
	};
}

uint32_t elf_relocations(const struct elf_section *section)
{
	return (uint32_t)(section->data.size / sizeof(struct relocation));
}

struct elf_relocation elf_relocation(const struct elf_section *section, uint32_t index)
{
	struct relocation r = { 0 };

	bytes_copy(section->data, (uint64_t)index * sizeof r, &r, sizeof r);
	return (struct elf_relocation){ r.offset, (uint32_t)(r.info >> 32), (uint32_t)r.info };
}

int elf_find(const struct elf *elf, const char *name, struct elf_section *section)
{
	for (uint32_t i = 1; i < elf->sections; i++) {
		*section = elf_section(elf, i);
		if (section->type && string_equal(section->name, name))
			return 1;
	}
	return 0;
}
