/* SPDX-License-Identifier: MIT */
#include "loader/btf.h"

#include "loader/sys.h"

struct header {
	uint16_t magic;
	uint8_t version, flags;
	uint32_t header_size, types_at, types_size, strings_at, strings_size;
};

struct record {
	uint32_t name, info, size_or_type;
};

enum { MAGIC = 0xeb9f, DEPTH_MAX = 32 };

/* What follows a record: a fixed part, and a part for each of its vlen elements; -1: no such kind. */
static const struct {
	int8_t fixed, each;
} body_of[BTF_KINDS] = {
	[BTF_VOID] = { -1, 0 },	   [BTF_INT] = { 4, 0 },	 [BTF_PTR] = { 0, 0 },
	[BTF_ARRAY] = { 12, 0 },   [BTF_STRUCT] = { 0, 12 },	 [BTF_UNION] = { 0, 12 },
	[BTF_ENUM] = { 0, 8 },	   [BTF_FWD] = { 0, 0 },	 [BTF_TYPEDEF] = { 0, 0 },
	[BTF_VOLATILE] = { 0, 0 }, [BTF_CONST] = { 0, 0 },	 [BTF_RESTRICT] = { 0, 0 },
	[BTF_FUNC] = { 0, 0 },	   [BTF_FUNC_PROTO] = { 0, 8 },	 [BTF_VAR] = { 4, 0 },
	[BTF_DATASEC] = { 0, 12 }, [BTF_FLOAT] = { 0, 0 },	 [BTF_DECL_TAG] = { 4, 0 },
	[BTF_TYPE_TAG] = { 0, 0 }, [BTF_ENUM64] = { 0, 12 },
};

static enum btf_kind kind_of(uint32_t info)
{
	return info >> 24 & 0x1f;
}

static uint32_t word_at(const struct btf *btf, uint64_t offset)
{
	return bytes_word(btf->types, offset);
}

/*
 * An entry of the index: where the record begins, and its kind, so that a walk for one kind does not touch the records. All
 * have whole words: the two lowest bits of where they begin are none.
 */
enum { KIND_BITS = 5, TYPES_MAX = 1 << 29 };

static uint32_t entry_of(uint32_t at, enum btf_kind kind)
{
	return at << (KIND_BITS - 2) | kind;
}

/* Of an id up to the count: the record lies inside, index_types() has seen to that. */
static uint32_t record_at(const struct btf *btf, uint32_t id)
{
	return btf->index[id] >> KIND_BITS << 2;
}

size_t btf_index_entries(struct bytes data)
{
	return data.size / sizeof(struct record) + 2;
}

/* Walks all records once: each must be of a known kind and lie inside. */
static int index_types(struct btf *btf, const char *what, struct failure *f)
{
	const uint8_t *at = btf->types.data;
	size_t left = btf->types.size, size;
	const char *why = "a type is cut off";
	uint32_t info, count = 0;

	btf->index[0] = 0;
	for (; left >= sizeof(struct record); at += size, left -= size) {
		enum btf_kind kind;

		__builtin_memcpy(&info, at + offsetof(struct record, info), sizeof info);
		kind = kind_of(info);
		if (kind >= BTF_KINDS || body_of[kind].fixed < 0) {
			why = "a type of unknown kind";
			break;
		}
		size = sizeof(struct record) + (size_t)body_of[kind].fixed + (size_t)body_of[kind].each * (info & 0xffff);
		if (left < size)
			break;
		btf->index[++count] = entry_of((uint32_t)(at - btf->types.data), kind);
	}
	btf->count = count;
	return left ? fail(f, -SYS_EINVAL, "read BTF of", what, why) : 0;
}

int btf_open(struct btf *btf, struct bytes data, uint32_t *index, const char *what, struct failure *f)
{
	struct header header;

	*btf = (struct btf){ .index = index };
	if (!bytes_copy(data, 0, &header, sizeof header) || header.magic != MAGIC || header.version != 1)
		return fail(f, -SYS_EINVAL, "read BTF of", what, "no BTF of version 1");
	if (header.header_size < sizeof header || header.types_size % 4 || header.types_size > TYPES_MAX ||
	    !bytes_part(data, (uint64_t)header.header_size + header.types_at, header.types_size,
			&btf->types) ||
	    !bytes_part(data, (uint64_t)header.header_size + header.strings_at, header.strings_size,
			&btf->strings))
		return fail(f, -SYS_EINVAL, "read BTF of", what, "types or strings outside the data");
	if (!btf->strings.size || btf->strings.data[0] || btf->strings.data[btf->strings.size - 1])
		return fail(f, -SYS_EINVAL, "read BTF of", what, "strings do not begin and end with NUL");
	return index_types(btf, what, f);
}

/* The strings end with NUL, so that any offset inside begins a string. */
static const char *string_at(const struct btf *btf, uint32_t offset)
{
	return offset < btf->strings.size ? (const char *)btf->strings.data + offset : "";
}

uint32_t btf_next(const struct btf *btf, uint32_t id, uint32_t kinds)
{
	while (++id <= btf->count)
		if (kinds >> (btf->index[id] & ((1 << KIND_BITS) - 1)) & 1)
			return id;
	return 0;
}

const char *btf_name(const struct btf *btf, uint32_t id)
{
	return string_at(btf, word_at(btf, record_at(btf, id)));
}

struct btf_type btf_type(const struct btf *btf, uint32_t id)
{
	struct btf_type type = { .kind = BTF_VOID, .name = "" };
	struct record record;

	if (!id || id > btf->count || !bytes_copy(btf->types, record_at(btf, id), &record, sizeof record))
		return type;
	type.kind = kind_of(record.info);
	type.name = string_at(btf, record.name);
	type.count = record.info & 0xffff;
	type.flag = record.info >> 31;
	type.size = type.type = record.size_or_type;
	type.body = record_at(btf, id) + (uint32_t)sizeof record;
	return type;
}

struct btf_member btf_member(const struct btf *btf, const struct btf_type *type, uint32_t index)
{
	uint64_t at = type->body + 12ull * index;
	uint32_t offset = word_at(btf, at + 8);

	return (struct btf_member){
		.name = string_at(btf, word_at(btf, at)),
		.type = word_at(btf, at + 4),
		.bit_offset = type->flag ? offset & 0xffffff : offset,
		.bit_size = type->flag ? offset >> 24 : 0,
	};
}

uint32_t btf_parameter(const struct btf *btf, const struct btf_type *type, uint32_t index)
{
	return word_at(btf, type->body + 8ull * index + 4);
}

const char *btf_enumerator(const struct btf *btf, const struct btf_type *type, uint32_t index, int64_t *value)
{
	uint64_t at = type->body + (type->kind == BTF_ENUM64 ? 12ull : 8ull) * index;
	uint32_t low = word_at(btf, at + 4);

	if (type->kind == BTF_ENUM64)
		*value = (int64_t)((uint64_t)word_at(btf, at + 8) << 32 | low);
	else
		*value = type->flag ? (int32_t)low : (int64_t)low;
	return string_at(btf, word_at(btf, at));
}

void btf_array(const struct btf *btf, const struct btf_type *type, uint32_t *element, uint32_t *count)
{
	*element = word_at(btf, type->body);
	*count = word_at(btf, type->body + 8ull);
}

uint32_t btf_strip(const struct btf *btf, uint32_t id)
{
	for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
		struct btf_type type = btf_type(btf, id);

		switch (type.kind) {
		case BTF_TYPEDEF:
		case BTF_VOLATILE:
		case BTF_CONST:
		case BTF_RESTRICT:
		case BTF_TYPE_TAG: id = type.type; break;
		default: return id;
		}
	}
	return 0;
}

int64_t btf_size(const struct btf *btf, uint32_t id)
{
	int64_t elements = 1;

	for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
		uint32_t stripped = btf_strip(btf, id), count;
		struct btf_type type = btf_type(btf, stripped);

		switch (type.kind) {
		case BTF_INT:
		case BTF_STRUCT:
		case BTF_UNION:
		case BTF_ENUM:
		case BTF_ENUM64:
		case BTF_FLOAT:
			return elements <= INT32_MAX ? elements * type.size : -1;
		case BTF_PTR: return elements <= INT32_MAX ? elements * 8 : -1;
		case BTF_ARRAY:
			btf_array(btf, &type, &id, &count);
			if (elements > INT32_MAX)
				return -1;
			elements *= count;
			break;
		default: return -1;
		}
	}
	return -1;
}

uint32_t btf_find(const struct btf *btf, enum btf_kind kind, const char *name)
{
	uint32_t id = 0;

	while ((id = btf_next(btf, id, 1u << kind)))
		if (string_equal(btf_name(btf, id), name))
			break;
	return id;
}
