/* SPDX-License-Identifier: MIT */
/* The probe object that is built into the binary, unpacked: the caller frees it. */
#ifndef RSTAT_TEST_OWN_OBJECT_H
#define RSTAT_TEST_OWN_OBJECT_H

#include "test/unit/unit.h"

#include "loader/unpack.h"

extern const uint8_t probe_object[], probe_object_end[];

static inline uint8_t *own_object(size_t *size)
{
	struct bytes packed = { probe_object, (size_t)((uintptr_t)probe_object_end - (uintptr_t)probe_object) };
	uint8_t *data;

	*size = unpack_size(packed);
	data = exactly(*size);
	assert_int_equal(unpack(packed, data, *size), 0);
	return data;
}

#endif
