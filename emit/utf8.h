/* SPDX-License-Identifier: MIT */
/* Characters in bytes that may be anything. */
#ifndef RSTAT_EMIT_UTF8_H
#define RSTAT_EMIT_UTF8_H

#include <stddef.h>
#include <stdint.h>

enum { UTF8_REPLACEMENT = 0xfffd };

/*
 * Reads one character at `bytes` (size > 0) into *code; returns how many bytes it took. Where the
 * bytes are no UTF-8 (overlong, a surrogate, above U+10FFFF, cut short), *code is UTF8_REPLACEMENT
 * and the result the length of the maximal subpart (Unicode 15, section 3.9, U+FFFD substitution):
 * 1 to 3 bytes.
 */
size_t utf8_read(const unsigned char *bytes, size_t size, uint32_t *code);

/*
 * Columns the character takes in a fixed-width font: 0 (combining), 1, or 2 (East Asian wide,
 * emoji).
 */
unsigned utf8_columns(uint32_t code);

/* Columns of `size` bytes. */
unsigned utf8_width(const void *bytes, size_t size);

#endif
