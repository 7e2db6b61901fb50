/* SPDX-License-Identifier: MIT */
/*
 * BTF, the kernel's type format (Linux, Documentation/bpf/btf.rst), read from bytes that are not trusted.
 * btf_open() checks that every record lies inside and indexes them; references between types are checked by the
 * functions that follow them.
 */
#ifndef RSTAT_LOADER_BTF_H
#define RSTAT_LOADER_BTF_H

#include "loader/bytes.h"
#include "loader/failure.h"

enum btf_kind {
	BTF_VOID = 0,
	BTF_INT = 1,
	BTF_PTR = 2,
	BTF_ARRAY = 3,
	BTF_STRUCT = 4,
	BTF_UNION = 5,
	BTF_ENUM = 6,
	BTF_FWD = 7,
	BTF_TYPEDEF = 8,
	BTF_VOLATILE = 9,
	BTF_CONST = 10,
	BTF_RESTRICT = 11,
	BTF_FUNC = 12,
	BTF_FUNC_PROTO = 13,
	BTF_VAR = 14,
	BTF_DATASEC = 15,
	BTF_FLOAT = 16,
	BTF_DECL_TAG = 17,
	BTF_TYPE_TAG = 18,
	BTF_ENUM64 = 19,
	BTF_KINDS = 20,
};

struct btf {
	struct bytes types, strings;
	uint32_t count;		/* ids are 1 .. count; 0 is void */
	uint32_t *index;	/* [id]: where its record begins in types, and its kind (btf.c) */
};

struct btf_type {		/* struct btf_type of the kernel, taken apart */
	enum btf_kind kind;
	const char *name;	/* "" where it has none */
	uint32_t count;		/* members, enumerators or parameters */
	bool flag;		/* kind_flag: members carry their bit-field size */
	uint32_t size;		/* bytes: INT, STRUCT, UNION, ENUM, ENUM64, FLOAT */
	uint32_t type;		/* the id that the others refer to */
	uint32_t body;		/* where what follows the record begins in types */
};

struct btf_member {
	const char *name;	/* "" where anonymous */
	uint32_t type;
	uint32_t bit_offset;
	uint32_t bit_size;	/* 0: not a bit-field */
};

/* Entries that btf_open() wants in its index for this much BTF. */
size_t btf_index_entries(struct bytes data);

/*
 * 0, or -EINVAL with the failure naming `what`. data must be aligned to 4 bytes and outlive btf, as must the index of
 * btf_index_entries() entries.
 */
int btf_open(struct btf *btf, struct bytes data, uint32_t *index, const char *what, struct failure *f);

/* The id after that one (0: the first) that is of one of the kinds, of which each is a bit; 0: none. */
uint32_t btf_next(const struct btf *btf, uint32_t id, uint32_t kinds);

/* The name of an id from 1 up to the count; "" where it has none. */
const char *btf_name(const struct btf *btf, uint32_t id);

/* The type of an id; kind BTF_VOID for 0 and for ids that do not exist. */
struct btf_type btf_type(const struct btf *btf, uint32_t id);

/* A member of a STRUCT or UNION, index below its count. */
struct btf_member btf_member(const struct btf *btf, const struct btf_type *type, uint32_t index);

/* A parameter of a FUNC_PROTO: its type's id. */
uint32_t btf_parameter(const struct btf *btf, const struct btf_type *type, uint32_t index);

/* An enumerator of an ENUM or ENUM64: its name, and its value. */
const char *btf_enumerator(const struct btf *btf, const struct btf_type *type, uint32_t index, int64_t *value);

/* An ARRAY: its element type and number of elements. */
void btf_array(const struct btf *btf, const struct btf_type *type, uint32_t *element, uint32_t *count);

/* What is left of an id when typedefs and qualifiers are taken off; 0 where they go too deep. */
uint32_t btf_strip(const struct btf *btf, uint32_t id);

/* Bytes of a value of that type, or -1 where it has no size. */
int64_t btf_size(const struct btf *btf, uint32_t id);

/* The first id of that kind and name, or 0. */
uint32_t btf_find(const struct btf *btf, enum btf_kind kind, const char *name);

#endif
