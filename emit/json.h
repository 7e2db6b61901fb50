/* SPDX-License-Identifier: MIT */
/*
 * A sample as one JSON object: the machine's face. docs/sample.schema.json describes it, field by
 * field.
 */
#ifndef RSTAT_EMIT_JSON_H
#define RSTAT_EMIT_JSON_H

#include "collect/sample.h"
#include "loader/text.h"

/* No sample is longer. A unit test fills every field with its longest value. */
enum { JSON_SIZE_MAX = 24576 };

/*
 * One object and a line feed. What the sample does not know is an absent key; ratios have up to six
 * decimals and lie in 0..1; integers stay below 2^53, where a double still holds them exactly.
 */
void json_write(struct text *out, const struct sample *s);

#endif
