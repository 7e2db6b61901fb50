/* SPDX-License-Identifier: MIT */
/*
 * CO-RE, "compile once, run everywhere": each access to a kernel struct was recorded by the compiler as a path
 * through our view of it. Here the path is walked through the running kernel's type of the same name, and the
 * instruction is changed to what it finds.
 */
#ifndef RSTAT_LOADER_CORE_H
#define RSTAT_LOADER_CORE_H

#include "loader/btf.h"

struct instruction {		/* struct bpf_insn, include/uapi/linux/bpf.h */
	uint8_t code;
	uint8_t registers;	/* destination in the low four bits, source in the high */
	int16_t offset;
	int32_t immediate;
};

enum core_kind {		/* enum bpf_core_relo_kind: those the probe uses */
	CORE_FIELD_OFFSET = 0,
	CORE_FIELD_SIZE = 1,
	CORE_FIELD_EXISTS = 2,
	CORE_TYPE_EXISTS = 8,
	CORE_TYPE_SIZE = 9,
	CORE_ENUMERATOR_EXISTS = 10,
	CORE_ENUMERATOR_VALUE = 11,
};

struct core_relocation {	/* struct bpf_core_relo */
	uint32_t instruction_at;	/* bytes from the beginning of the section */
	uint32_t type;			/* root of the path, in our BTF */
	uint32_t path_at;		/* "0:1:2" in our BTF's strings */
	uint32_t kind;
};

/* What a path means in one of the two: found 0 is "does not exist there". */
struct core_value {
	int found;
	uint64_t value;		/* what the instruction wants: offset, size, existence, enumerator */
	uint32_t width;		/* CORE_FIELD_OFFSET: bytes of the field at the path's end; else 0 */
	int is_unsigned;	/* the field is an unsigned integer or a pointer: its load may be widened */
};

/*
 * The kernel's types by name, found in one walk over its BTF. Opaque but for its size, so that it can live in
 * temporary memory.
 */
enum { CORE_ROOTS_MAX = 48, CORE_CANDIDATES_MAX = 4 };

struct core {
	const struct btf *ours, *kernel;
	uint32_t roots;
	struct core_root {
		uint32_t type;			/* in ours */
		uint32_t candidates;
		uint32_t candidate[CORE_CANDIDATES_MAX];	/* in the kernel's */
	} root[CORE_ROOTS_MAX];
};

void core_open(struct core *core, const struct btf *ours, const struct btf *kernel);

/* Makes the type of a relocation known; then core_find_candidates() once for all. 0, or -E2BIG. */
int core_add_root(struct core *core, uint32_t type, struct failure *f);
int core_find_candidates(struct core *core, struct failure *f);

/*
 * Resolves r: what the compiler assumed, and what the running kernel has. 0, or -EINVAL (a malformed path, two
 * types of the kernel that disagree, an unsupported kind) with the failure naming the type.
 */
int core_resolve(const struct core *core, const struct core_relocation *r, struct core_value *assumed,
		 struct core_value *actual, struct failure *f);

/*
 * Changes the instruction at index to the actual value. Where the kernel has nothing there, the instruction is
 * poisoned instead: it becomes a call of a helper that does not exist, so that the verifier takes dead code and
 * refuses live code. 0, or -EINVAL where the instruction is not what the compiler would have recorded.
 */
int core_patch(struct instruction *code, uint32_t count, uint32_t index, const struct core_value *assumed,
	       const struct core_value *actual, uint32_t kind);

#endif
