/* SPDX-License-Identifier: MIT */
#include "loader/cold.h"

#include <stdint.h>

#include "loader/live.h"
#include "loader/start.h"

enum { PT_LOAD = 1, PF_X = 1 };

struct elf_header {	/* Elf64_Ehdr */
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct program_header {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

extern const struct elf_header __ehdr_start __attribute__((visibility("hidden")));
extern const char probe_object[] __attribute__((visibility("hidden"))), probe_object_end[] __attribute__((visibility("hidden")));

/* The segment that may be executed. */
static inline __attribute__((always_inline)) const struct program_header *find_code(uintptr_t base)
{
	const struct program_header *headers = (const void *)(base + __ehdr_start.phoff);

	for (unsigned i = 0; i < __ehdr_start.phnum; i++)
		if (headers[i].type == PT_LOAD && headers[i].flags & PF_X)
			return &headers[i];
	return 0;
}

/*
 * All code before this function is that of the start. What comes behind it is touched first: where one of its pages is
 * wanted for the first time later on, the kernel maps its neighbours, too.
 */
void cold_drop(void)
{
	uintptr_t base = (uintptr_t)&__ehdr_start;
	const struct program_header *code = find_code(base);

	if (code) {
		for (uintptr_t at = (uintptr_t)cold_drop; at < base + code->vaddr + code->memsz; at += start_facts()->page_size)
			(void)*(const volatile char *)at;
		drop_pages((const void *)(base + code->vaddr), (const void *)cold_drop);
	}
	drop_pages(probe_object, probe_object_end);
}
