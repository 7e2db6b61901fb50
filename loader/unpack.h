/* SPDX-License-Identifier: MIT */
/* The built-in probe object as probe/tool/pack.c made it: its size as 32 bits, then one LZ4 block. */
#ifndef RSTAT_LOADER_UNPACK_H
#define RSTAT_LOADER_UNPACK_H

#include "loader/bytes.h"

/* Bytes that unpacking gives; 0 where there is no size. */
size_t unpack_size(struct bytes packed);

/* Writes exactly size bytes, of unpack_size(): 0, or -EINVAL where the block does not hold as many. */
int unpack(struct bytes packed, uint8_t *to, size_t size);

#endif
