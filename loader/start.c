/* SPDX-License-Identifier: MIT */
/*
 * From the kernel's entry to main(), without a C library. The initial stack (both architectures):
 *
 *	sp ->	argc
 *		argv[0] ... argv[argc - 1], NULL
 *		envp[0] ..., NULL
 *		auxv: pairs of type and value, ends with AT_NULL
 *
 * 1. relocate: a static PIE is linked at 0; every R_*_RELATIVE adds the base. They come as a table (DT_RELA) or packed
 *    (DT_RELR, generic ABI: an even word is an address to relocate; an odd one a map of the 63 words after the last:
 *    bit n + 1 for the n-th). Until then no address that is
 *    stored in memory may be used, so this file is built without stack protector and everything is hidden.
 * 2. the linker's PT_GNU_RELRO (tables that only relocation writes) becomes read-only.
 * 3. the stack protector gets its secret from AT_RANDOM.
 */
#include <stdint.h>

#include "loader/start.h"
#include "loader/sys.h"

enum { AT_NULL = 0, AT_PHDR = 3, AT_PHNUM = 5, AT_PAGESZ = 6, AT_UID = 11, AT_EUID, AT_GID, AT_EGID, AT_SECURE = 23, AT_RANDOM = 25 };
enum { PT_GNU_RELRO = 0x6474e552 };
enum { DT_NULL = 0, DT_RELA = 7, DT_RELASZ = 8, DT_RELRSZ = 35, DT_RELR = 36, RELR_BITS = 63 };

struct dynamic {
	int64_t tag;
	uint64_t value;
};

struct rela {
	uint64_t where, info;
	int64_t addend;
};

struct program_header {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

extern const struct dynamic _DYNAMIC[] __attribute__((visibility("hidden")));
extern const char __ehdr_start[] __attribute__((visibility("hidden")));

uintptr_t __stack_chk_guard;
static struct start_facts facts = { .page_size = SYS_PAGE_SIZE_MIN };

/* A line with its length, as nothing that counts is at hand before main(). */
_Noreturn static void stop(const char *line, unsigned size)
{
	sys_write(2, line, size);
	sys_exit(1);
}

_Noreturn void __stack_chk_fail(void);
_Noreturn void __stack_chk_fail(void)
{
	static const char message[] = "rstat: stack overwritten, stopping\n";

	stop(message, sizeof message - 1);
}

const struct start_facts *start_facts(void)
{
	return &facts;
}

static void relocate_packed(uintptr_t base, const uint64_t *table, uint64_t count)
{
	uint64_t *next = 0;

	for (uint64_t i = 0; i < count; i++) {
		if (!(table[i] & 1)) {
			next = (uint64_t *)(base + table[i]);
			*next++ += base;
			continue;
		}
		for (uint64_t bit = 0; bit < RELR_BITS; bit++)
			if (table[i] >> (bit + 1) & 1)
				next[bit] += base;
		next += RELR_BITS;
	}
}

static void relocate(uintptr_t base)
{
	const struct rela *table = 0;
	const uint64_t *packed = 0;
	uint64_t size = 0, packed_size = 0;

	for (const struct dynamic *d = _DYNAMIC; d->tag != DT_NULL; d++) {
		if (d->tag == DT_RELA)
			table = (const struct rela *)(base + d->value);
		else if (d->tag == DT_RELASZ)
			size = d->value;
		else if (d->tag == DT_RELR)
			packed = (const uint64_t *)(base + d->value);
		else if (d->tag == DT_RELRSZ)
			packed_size = d->value;
	}
	relocate_packed(base, packed, packed_size / sizeof *packed);
	for (uint64_t i = 0; i < size / sizeof *table; i++) {
		if ((uint32_t)table[i].info != ARCH_RELOC_RELATIVE)
			__builtin_trap();
		*(uint64_t *)(base + table[i].where) = base + (uint64_t)table[i].addend;
	}
}

static void protect_relocated(uintptr_t base, const struct program_header *headers, uint64_t count,
			      uint64_t page_size)
{
	static const char message[] = "rstat: the kernel does not let memory be protected\n";

	for (uint64_t i = 0; headers && i < count; i++) {
		if (headers[i].type != PT_GNU_RELRO)
			continue;
		uintptr_t start = (base + headers[i].vaddr) & -page_size;
		uintptr_t end = (base + headers[i].vaddr + headers[i].memsz) & -page_size;

		if (end > start && sys_mprotect((void *)start, end - start, SYS_PROT_READ))
			stop(message, sizeof message - 1);
	}
}

_Noreturn __attribute__((used)) static void start(long *stack)
{
	uintptr_t base = (uintptr_t)__ehdr_start;
	int argc = (int)stack[0];
	char **argv = (char **)(stack + 1), **envp = argv + argc + 1, **p = envp;
	const struct program_header *headers = 0;
	const uint8_t *random = 0;
	uint64_t count = 0, page_size = SYS_PAGE_SIZE_MIN, secure = 0, id[4] = { 0 };

	relocate(base);
	while (*p)
		p++;
	for (uint64_t *a = (uint64_t *)(p + 1); a[0] != AT_NULL; a += 2) {
		switch (a[0]) {
		case AT_PHDR: headers = (const struct program_header *)a[1]; break;
		case AT_PHNUM: count = a[1]; break;
		case AT_PAGESZ: page_size = a[1]; break;
		case AT_UID:
		case AT_EUID:
		case AT_GID:
		case AT_EGID: id[a[0] - AT_UID] = a[1]; break;
		case AT_SECURE: secure = a[1]; break;
		case AT_RANDOM: random = (const uint8_t *)a[1]; break;
		}
	}
	protect_relocated(base, headers, count, page_size);
	if (random) {
		uintptr_t guard = 0;

		for (unsigned i = 0; i < sizeof guard; i++)
			guard = guard << 8 | random[i];
		__stack_chk_guard = guard & ~(uintptr_t)0xff;	/* a NUL stops string overruns */
	}
	facts.page_size = page_size;
	facts.secure = secure != 0;
	facts.root = id[0] == 0;
	facts.another = id[0] != id[1] || id[2] != id[3];
	sys_exit(main(argc, argv, envp));
}

ARCH_START(start);
