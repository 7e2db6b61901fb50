/* SPDX-License-Identifier: MIT */
/*
 * ELF64 relocatable objects for the BPF machine, read from bytes that are not trusted (System V ABI, chapters 4
 * and 5; Linux, Documentation/bpf/llvm_reloc.rst). elf_open() checks every header, name, symbol and relocation once;
 * afterwards the readers cannot fail for an index below the count.
 */
#ifndef RSTAT_LOADER_ELF_H
#define RSTAT_LOADER_ELF_H

#include "loader/bytes.h"
#include "loader/failure.h"

enum {
	ELF_PROGBITS = 1,
	ELF_SYMTAB = 2,
	ELF_STRTAB = 3,
	ELF_REL = 9,
	ELF_EXECINSTR = 4,	/* section flag */
	ELF_FUNC = 2,		/* symbol types */
	ELF_OBJECT = 1,
	ELF_SECTIONS_MAX = 256,
};

struct elf {
	struct bytes file;
	uint64_t headers_at;		/* of the section headers */
	uint32_t sections;		/* how many, the null section included */
	uint32_t symbols;
	struct bytes symbol_table, symbol_names, section_names;
};

struct elf_section {
	const char *name;
	uint32_t type, info;
	uint64_t flags;
	struct bytes data;
};

struct elf_symbol {
	const char *name;
	uint32_t type, section;		/* section 0: undefined, or a reserved index */
	uint64_t value, size;
};

struct elf_relocation {
	uint64_t offset;		/* in the section that the relocations are for */
	uint32_t symbol, type;
};

/* 0, or -EINVAL with the failure naming what is wrong. file must outlive elf. */
int elf_open(struct elf *elf, struct bytes file, struct failure *f);

struct elf_section elf_section(const struct elf *elf, uint32_t index);
struct elf_symbol elf_symbol(const struct elf *elf, uint32_t index);

/* The number of relocations in a section of type ELF_REL, and one of them. */
uint32_t elf_relocations(const struct elf_section *section);
struct elf_relocation elf_relocation(const struct elf_section *section, uint32_t index);

/* The first section of that name: 1 and *section filled, or 0. */
int elf_find(const struct elf *elf, const char *name, struct elf_section *section);

#endif
