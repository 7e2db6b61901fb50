/* SPDX-License-Identifier: MIT */
/* ELF: a file that elf_open() takes can be read at every index without leaving the file; one it refuses is said why. */
#include "test/fuzz/fuzz.h"

#include "loader/elf.h"

static bool inside(struct bytes file, const void *at, size_t size)
{
	const uint8_t *from = at;

	return from >= file.data && size <= file.size && (size_t)(from - file.data) <= file.size - size;
}

static void check_string(struct bytes file, const char *string)
{
	if (*string)
		MUST(inside(file, string, strlen(string) + 1));
}

static void check_relocations(const struct elf *elf, const struct elf_section *section)
{
	struct elf_section target = elf_section(elf, section->info);

	MUST(section->info < elf->sections);
	for (uint32_t i = 0; i < elf_relocations(section); i++) {
		struct elf_relocation r = elf_relocation(section, i);

		MUST(r.symbol < elf->symbols && r.offset < target.data.size);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes file = { data, size };
	struct failure f = { 0 };
	struct elf_section found;
	struct elf elf;
	int error = elf_open(&elf, file, &f);

	if (error) {
		MUST(error == f.error);
		check_failure(&f);
		return 0;
	}
	MUST(!f.error && elf.sections <= ELF_SECTIONS_MAX && elf.symbols);
	for (uint32_t i = 0; i < elf.sections; i++) {
		struct elf_section section = elf_section(&elf, i);

		check_string(file, section.name);
		if (section.data.size)
			MUST(inside(file, section.data.data, section.data.size));
		if (i && section.type == ELF_REL)
			check_relocations(&elf, &section);
		if (i && section.type)
			MUST(elf_find(&elf, section.name, &found) == 1 && !strcmp(found.name, section.name));
	}
	for (uint32_t i = 0; i < elf.symbols; i++) {
		struct elf_symbol symbol = elf_symbol(&elf, i);

		check_string(file, symbol.name);
		MUST(symbol.section < elf.sections && symbol.type <= 0xf);
	}
	MUST(!elf_find(&elf, "no section has this name", &found));
	return 0;
}
