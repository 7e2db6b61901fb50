/* SPDX-License-Identifier: MIT */
/* The probe's object that is built in, and the types of kernels that test/fixtures has: read once. */
#ifndef RSTAT_FUZZ_OWN_H
#define RSTAT_FUZZ_OWN_H

#include "test/fuzz/fuzz.h"

#include "loader/btf.h"
#include "loader/object.h"
#include "loader/unpack.h"

extern const uint8_t probe_object[], probe_object_end[];

static inline struct bytes own_object(void)
{
	static struct bytes own;

	if (!own.data) {
		struct bytes packed = { probe_object, (size_t)((uintptr_t)probe_object_end - (uintptr_t)probe_object) };
		uint8_t *data = malloc(unpack_size(packed));

		MUST(data && !unpack(packed, data, unpack_size(packed)));
		own = (struct bytes){ data, unpack_size(packed) };
	}
	return own;
}

enum { KERNELS = 7 };

static inline struct bytes kernel_bytes(unsigned number)
{
	static const char *const names[KERNELS] = { "5.10", "6.1", "6.1-arm", "6.12", "6.12-arm", "6.12-rt", "newest" };
	static struct bytes kernel[KERNELS];
	struct bytes *own = &kernel[number % KERNELS];

	if (!own->data) {
		uint8_t *data = malloc(65536);
		char path[64];
		FILE *file;

		snprintf(path, sizeof path, "test/fixtures/btf/%s.btf", names[number % KERNELS]);
		file = fopen(path, "r");
		if (!file)
			fprintf(stderr, "run it where the sources are: no %s\n", path);
		MUST(file);
		*own = (struct bytes){ data, fread(data, 1, 65536, file) };
		fclose(file);
	}
	return *own;
}

static inline const struct btf *kernel_types(unsigned number)
{
	static struct btf types[KERNELS];
	struct btf *btf = &types[number % KERNELS];
	struct bytes bytes = kernel_bytes(number);
	struct failure f = { 0 };

	if (!btf->count)
		MUST(!btf_open(btf, bytes, malloc(btf_index_entries(bytes) * sizeof(uint32_t)), "a fixture", &f));
	return btf;
}

#endif
