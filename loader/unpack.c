/* SPDX-License-Identifier: MIT */
/*
 * LZ4's block format (lz4_Block_format.md): sequences of a token, whose high half is the number of literals and whose low
 * half is the length of a match less 4; 15 says that bytes to be added follow, up to one below 255. Then come the
 * literals, the distance of the match as 16 bits, and the rest of its length. The last sequence has literals only.
 */
#include "loader/unpack.h"

#include "loader/sys.h"

enum { HEADER = 4, MATCH_MIN = 4, MORE = 15 };

size_t unpack_size(struct bytes packed)
{
	uint32_t size = 0;

	bytes_copy(packed, 0, &size, sizeof size);
	return size;
}

/* A length that began as 15 in a token; false where the bytes end. */
static bool add_rest(struct bytes packed, size_t *at, size_t *length)
{
	const uint8_t *byte;

	if (*length != MORE)
		return true;
	do {
		byte = bytes_at(packed, (*at)++, 1);
		if (!byte)
			return false;
		*length += *byte;
	} while (*byte == 255);
	return true;
}

/* A match may overlap what it gives. */
static bool copy_match(uint8_t *to, size_t size, size_t *used, size_t distance, size_t length)
{
	if (!distance || distance > *used || length > size - *used)
		return false;
	for (; length; length--, ++*used)
		to[*used] = to[*used - distance];
	return true;
}

int unpack(struct bytes packed, uint8_t *to, size_t size)
{
	size_t at = HEADER, used = 0;

	while (at < packed.size) {
		uint8_t token = packed.data[at++];
		size_t literals = token >> 4, match = token & MORE;
		uint16_t distance;

		if (!add_rest(packed, &at, &literals) || literals > size - used ||
		    !bytes_copy(packed, at, to + used, literals))
			return -SYS_EINVAL;
		at += literals;
		used += literals;
		if (at == packed.size)
			return used == size ? 0 : -SYS_EINVAL;
		if (!bytes_copy(packed, at, &distance, sizeof distance))
			return -SYS_EINVAL;
		at += sizeof distance;
		if (!add_rest(packed, &at, &match) || !copy_match(to, size, &used, distance, match + MATCH_MIN))
			return -SYS_EINVAL;
	}
	return -SYS_EINVAL;
}
