/* SPDX-License-Identifier: MIT */
/*
 * LZ4: against liblz4. What both take they unpack to the same (liblz4 takes a distance of 0, and refuses ends that those who
 * write ahead stumble over), and what liblz4 packs we unpack.
 */
#include "test/fuzz/fuzz.h"

#include <lz4.h>

#include "loader/unpack.h"

enum { SIZE_MOST = 1 << 16, HEADER = 4 };

static void check_other(const uint8_t *data, size_t size, const uint8_t *ours, size_t unpacked)
{
	char *theirs = malloc(unpacked + 64);
	int length = LZ4_decompress_safe((const char *)data + HEADER, theirs, (int)(size - HEADER), (int)unpacked);

	if (length == (int)unpacked && ours)
		MUST(!memcmp(theirs, ours, unpacked));
	free(theirs);
}

static void check_round(const uint8_t *data, size_t size)
{
	int room = LZ4_compressBound((int)size), length;
	uint8_t *packed = malloc((size_t)room + HEADER), *exact, *again = malloc(size + 1);
	uint32_t stored = (uint32_t)size;

	length = LZ4_compress_default((const char *)data, (char *)packed + HEADER, (int)size, room);
	MUST(length > 0);
	memcpy(packed, &stored, sizeof stored);
	exact = exact_copy(packed, (size_t)length + HEADER);
	MUST(unpack_size((struct bytes){ exact, (size_t)length + HEADER }) == size);
	MUST(!unpack((struct bytes){ exact, (size_t)length + HEADER }, again, size) && !memcmp(again, data, size));
	free(exact);
	free(packed);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes packed = { data, size };
	size_t unpacked = unpack_size(packed);
	uint8_t *to;
	int error;

	if (size < HEADER)
		MUST(!unpacked);
	if (unpacked > SIZE_MOST || size < HEADER)
		return 0;
	to = malloc(unpacked ? unpacked : 1);
	error = unpack(packed, to, unpacked);
	MUST(error == 0 || error == -22);
	check_other(data, size, error ? NULL : to, unpacked);
	free(to);
	check_round(data, size);
	return 0;
}
