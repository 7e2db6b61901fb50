/* SPDX-License-Identifier: MIT */
/*
 * The CO-RE matcher: the input is a kernel's BTF, to which the built-in probe is fitted. What follows the BTF in the input
 * are relocations of any kind, resolved from our types to those and the other way round, and patched into instructions.
 */
#include "test/fuzz/fuzz.h"

#include "loader/attach.h"
#include "test/fuzz/own.h"

enum { RELOCATIONS_MAX = 64 };

static struct arena arena;

/* The built-in object, opened anew: fitting changes it. */
static void open_own(struct object *object)
{
	struct bytes own = own_object();
	struct failure f = { 0 };

	if (!arena.data)
		arena = (struct arena){ .data = malloc(object_memory(own.size)), .size = object_memory(own.size) };
	arena.used = 0;
	MUST(!object_open(object, own, &arena, &f));
}

static void fit(struct object *object, const struct btf *kernel)
{
	static struct core core;
	struct failure f = { 0 };

	if (object_fit_kernel(object, kernel, &core, &f))
		check_failure(&f);
	MUST(core.roots <= CORE_ROOTS_MAX);
	for (uint32_t i = 0; i < core.roots; i++)
		MUST(core.root[i].candidates <= CORE_CANDIDATES_MAX);
}

static void check_patch(struct feed *feed, const struct core_value *assumed, const struct core_value *actual, uint32_t kind)
{
	struct instruction code[3], before[3];
	uint32_t count = feed_byte(feed) % 4, index = feed_byte(feed) % 4, at;

	feed_bytes(feed, code, sizeof code);
	if (feed_bool(feed) && index < 3) {	/* as the compiler would have written it */
		code[index].offset = (int16_t)assumed->value;
		code[index].immediate = (int32_t)assumed->value;
	}
	memcpy(before, code, sizeof code);
	if (core_patch(code, count, index, assumed, actual, kind))
		return;
	MUST(index < count);
	for (at = 0; at < 3; at++)	/* nothing but that instruction, and its second half */
		if (at != index && !(at == index + 1 && before[index].code == 0x18 && at < count))
			MUST(!memcmp(&before[at], &code[at], sizeof code[at]));
	if (code[index].code != 0x85)
		MUST(code[index].registers == before[index].registers);
}

/* A string that begins with a digit, as paths do; or anything. */
static uint32_t choose_path(struct feed *feed, const struct btf *btf)
{
	const char *strings = (const char *)btf->strings.data;
	uint8_t wanted = feed_byte(feed);

	for (uint32_t at = 1, met = 0; wanted < 0xf0 && at < btf->strings.size; at++)
		if (!strings[at - 1] && strings[at] >= '0' && strings[at] <= '9' && met++ == wanted)
			return at;
	return (uint32_t)feed_upto(feed, btf->strings.size);
}

static void resolve(struct feed *feed, const struct btf *ours, const struct btf *kernel)
{
	static const uint32_t kinds[] = { CORE_FIELD_OFFSET, CORE_FIELD_SIZE, CORE_FIELD_EXISTS, CORE_TYPE_EXISTS,
					  CORE_TYPE_SIZE, CORE_ENUMERATOR_EXISTS, CORE_ENUMERATOR_VALUE, 77 };
	struct core_relocation r[RELOCATIONS_MAX];
	struct core_value assumed, actual;
	unsigned count = feed_byte(feed) % RELOCATIONS_MAX;
	struct failure f = { 0 };
	struct core core;

	core_open(&core, ours, kernel);
	for (unsigned i = 0; i < count; i++) {
		r[i].type = (uint32_t)feed_upto(feed, ours->count);
		r[i].path_at = choose_path(feed, ours);
		r[i].kind = kinds[feed_byte(feed) % COUNT_OF(kinds)];
		r[i].instruction_at = 0;
		if (core_add_root(&core, r[i].type, &f)) {
			MUST(core.roots == CORE_ROOTS_MAX);
			check_failure(&f);
			return;
		}
	}
	if (core_find_candidates(&core, &f)) {
		check_failure(&f);
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		f = (struct failure){ 0 };
		if (core_resolve(&core, &r[i], &assumed, &actual, &f)) {
			check_failure(&f);
			continue;
		}
		MUST(assumed.found);
		check_patch(feed, &assumed, &actual, r[i].kind);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct object object;
	uint32_t header[6] = { 0 };
	struct failure f = { 0 };
	struct bytes bytes;
	struct feed feed;
	uint32_t *index;
	struct btf kernel;

	memcpy(header, data, size < sizeof header ? size : sizeof header);
	bytes.size = (size_t)header[1] + header[4] + header[5] < size ? (size_t)header[1] + header[4] + header[5] : size;
	bytes.data = exact_copy(data, bytes.size);
	feed = feed_over(data + bytes.size, size - bytes.size);
	index = malloc(btf_index_entries(bytes) * sizeof *index);
	if (!btf_open(&kernel, bytes, index, "the input", &f)) {
		open_own(&object);
		if (!feed.left)
			fit(&object, &kernel);
		resolve(&feed, &object.btf, &kernel);
		resolve(&feed, &kernel, &object.btf);
		resolve(&feed, &kernel, &kernel);
	} else {
		check_failure(&f);
	}
	free(index);
	free((void *)(uintptr_t)bytes.data);
	return 0;
}
