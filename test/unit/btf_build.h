/* SPDX-License-Identifier: MIT */
/* BTF written by hand: types are added one by one, then opened from memory that ends where the BTF ends. */
#ifndef RSTAT_TEST_BTF_BUILD_H
#define RSTAT_TEST_BTF_BUILD_H

#include "test/unit/unit.h"

#include "loader/btf.h"

enum { BUILD_WORDS = 4096, BUILD_STRINGS = 4096, BUILD_HEADER = 24 };

struct btf_build {
	uint32_t word[BUILD_WORDS];
	char string[BUILD_STRINGS];
	uint32_t words, strings, types;
	/* once opened */
	uint8_t *data;
	uint32_t *index;
	struct btf btf;
};

/* Parts that need no offset leave it out. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

/* A member, enumerator, parameter or variable: name, type or value, bit offset. */
struct build_part {
	const char *name;
	uint32_t type, offset;
};

static inline void build_begin(struct btf_build *b)
{
	memset(b, 0, sizeof *b);
	b->strings = 1;
}

static inline uint32_t build_string(struct btf_build *b, const char *string)
{
	uint32_t at = b->strings;
	size_t size = strlen(string) + 1;

	if (size == 1)
		return 0;
	assert_true(at + size <= BUILD_STRINGS);
	memcpy(b->string + at, string, size);
	b->strings += (uint32_t)size;
	return at;
}

static inline void build_word(struct btf_build *b, uint32_t word)
{
	assert_true(b->words < BUILD_WORDS);
	b->word[b->words++] = word;
}

/* The bare record; what follows it is for the caller to add. Returns the id. */
static inline uint32_t build_type(struct btf_build *b, const char *name, uint32_t kind, uint32_t count,
				  uint32_t size_or_type)
{
	build_word(b, build_string(b, name));
	build_word(b, kind << 24 | count);
	build_word(b, size_or_type);
	return ++b->types;
}

static inline uint32_t build_int(struct btf_build *b, const char *name, uint32_t size, int is_signed)
{
	uint32_t id = build_type(b, name, BTF_INT, 0, size);

	build_word(b, (is_signed ? 1u << 24 : 0) | size * 8);
	return id;
}

static inline uint32_t build_array(struct btf_build *b, uint32_t element, uint32_t count)
{
	uint32_t id = build_type(b, "", BTF_ARRAY, 0, 0);

	build_word(b, element);
	build_word(b, 0);
	build_word(b, count);
	return id;
}

/* kind_flag: offsets then hold a bit-field's size in their upper byte. */
static inline uint32_t build_parts(struct btf_build *b, const char *name, uint32_t kind, int kind_flag,
				   uint32_t size, const struct build_part *part, uint32_t count)
{
	uint32_t id = build_type(b, name, kind, count | (kind_flag ? 1u << 7 : 0) << 24, size);

	for (uint32_t i = 0; i < count; i++) {
		build_word(b, build_string(b, part[i].name));
		build_word(b, part[i].type);
		if (kind == BTF_STRUCT || kind == BTF_UNION || kind == BTF_ENUM64 || kind == BTF_DATASEC)
			build_word(b, part[i].offset);
	}
	return id;
}

#define build_struct(b, name, size, ...)                                                           \
	build_parts(b, name, BTF_STRUCT, 0, size, (const struct build_part[]){ __VA_ARGS__ },      \
		    COUNT_OF(((const struct build_part[]){ __VA_ARGS__ })))
#define build_union(b, name, size, ...)                                                            \
	build_parts(b, name, BTF_UNION, 0, size, (const struct build_part[]){ __VA_ARGS__ },       \
		    COUNT_OF(((const struct build_part[]){ __VA_ARGS__ })))
#define build_enum(b, name, is_signed, ...)                                                        \
	build_parts(b, name, BTF_ENUM, is_signed, 4, (const struct build_part[]){ __VA_ARGS__ },   \
		    COUNT_OF(((const struct build_part[]){ __VA_ARGS__ })))

/* All of it as bytes, in memory of its own. */
static inline uint8_t *build_bytes(const struct btf_build *b, size_t *size)
{
	uint32_t types = b->words * 4;
	const uint32_t header[6] = { 0x0001eb9f, BUILD_HEADER, 0, types, types, b->strings };
	uint8_t *data = exactly(*size = BUILD_HEADER + types + b->strings);

	memcpy(data, header, sizeof header);
	memcpy(data + BUILD_HEADER, b->word, types);
	memcpy(data + BUILD_HEADER + types, b->string, b->strings);
	return data;
}

static inline int build_open_bytes(const uint8_t *data, size_t size, struct btf *btf, uint32_t **index,
				   struct failure *f)
{
	struct bytes bytes = { data, size };

	*index = exactly(btf_index_entries(bytes) * sizeof **index);
	*f = (struct failure){ 0 };
	return btf_open(btf, bytes, *index, "a test", f);
}

static inline void build_open(struct btf_build *b)
{
	struct failure f;
	size_t size;

	b->data = build_bytes(b, &size);
	assert_int_equal(build_open_bytes(b->data, size, &b->btf, &b->index, &f), 0);
	assert_int_equal(b->btf.count, b->types);
}

static inline void build_close(struct btf_build *b)
{
	free(b->data);
	free(b->index);
	b->data = NULL;
	b->index = NULL;
}

#endif
