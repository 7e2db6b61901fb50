/* SPDX-License-Identifier: MIT */
/* Numbers as people read them, and columns. A type of value, a function. */
#ifndef RSTAT_EMIT_FORMAT_H
#define RSTAT_EMIT_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "collect/sample.h"
#include "loader/text.h"

/* Powers of 1024, rounded half up, at most 4 characters: 0 812B 1.2K 31G 999G 1.0T 16E. */
void format_bytes(struct text *out, uint64_t bytes);

/* The same per second: 12M/s. At most 6 characters. */
void format_rate(struct text *out, uint64_t bytes_per_second);

/*
 * Parts per million as percent, without the sign: one decimal below 10 if `fine` (7.4), else a
 * whole number.
 */
void format_percent(struct text *out, uint32_t ppm, bool fine);

/* 800MHz 3.4GHz; at most 16 characters. */
void format_frequency(struct text *out, uint64_t hz);

/* 900ns 35µs 12ms 1s 2.5s; cut, not rounded, to what is shown. At most 16 characters. */
void format_duration(struct text *out, uint64_t ns);

/* Degrees, from thousandths, as a whole number: 54 -3. */
void format_degrees(struct text *out, int32_t milli);

const char *format_source(enum source source);	/* "btf" */

/* What part of the whole it is, in ppm: 0..1,000,000; 0 of nothing is 0. */
uint32_t format_share(uint64_t part, uint64_t whole);

/*
 * The newest of a series, a block character of eight heights each, `width` columns in all: spaces where it does not
 * reach back as far. 3 bytes a column.
 */
void format_graph(struct text *out, const struct series *series, unsigned width);

/*
 * Pad to `width` columns what was written to `out` since it held `start` bytes, with spaces before
 * it (right) or after it (left). That must be text as it will be seen, without escapes or markup.
 */
void format_right(struct text *out, size_t start, unsigned width);
void format_left(struct text *out, size_t start, unsigned width);

/* Spaces after something of `columns` columns, up to `width`. */
void format_gap(struct text *out, unsigned columns, unsigned width);

#endif
