/* SPDX-License-Identifier: MIT */
/*
 * Reading text that is not ours: a cursor over bytes that never passes its end. A function that
 * returns false leaves the cursor where it was and its output untouched. Bytes need no terminating
 * NUL and may hold any value.
 */
#ifndef RSTAT_COLLECT_PARSE_H
#define RSTAT_COLLECT_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct parse {
	const char *at, *end;
};

/* A cursor over `size` bytes. */
static inline struct parse parse_over(const void *bytes, size_t size)
{
	return (struct parse){ .at = bytes, .end = (const char *)bytes + size };
}

/* A cursor over a NUL-terminated string. */
static inline struct parse parse_word(const char *word)
{
	struct parse p = { .at = word, .end = word };

	while (*p.end)
		p.end++;
	return p;
}

static inline size_t parse_left(const struct parse *p)
{
	return (size_t)(p->end - p->at);
}

/* Decimal digits, at least one. False where the value exceeds 64 bits. */
bool parse_u64(struct parse *p, uint64_t *value);

/* The same with an optional '-'. */
bool parse_i64(struct parse *p, int64_t *value);

/*
 * Digits with an optional fraction, in units of 10^-decimals: "12.34" with 2 is 1234. Further
 * digits are cut off, not rounded. False where a '.' has no digit behind it or the value exceeds 64
 * bits. decimals <= 19.
 */
bool parse_fixed(struct parse *p, unsigned decimals, uint64_t *value);

/* Skips exactly `literal` (NUL-terminated). */
bool parse_literal(struct parse *p, const char *literal);

/* Skips blanks and tabs; how many. */
size_t parse_blanks(struct parse *p);

/*
 * The next line without its newline. A last line that has none does not count: it may have been cut
 * where the buffer ended, and half a number is a wrong number.
 */
bool parse_line(struct parse *p, struct parse *line);

/* The first complete line that begins with `key`: what follows the key. p does not move. */
bool parse_find(const struct parse *p, const char *key, struct parse *rest);

/* Without the blanks, tabs, carriage returns and newlines at both ends. */
struct parse parse_trimmed(struct parse p);

/*
 * All of the bytes are one number, blanks and newlines around it aside: the content of most files
 * in sysfs.
 */
bool parse_whole_i64(const void *bytes, size_t size, int64_t *value);

/*
 * Whether all of the name fits the pattern, in which '#' stands for one or more digits, and '*' at
 * the end for anything: "temp#_input".
 */
bool parse_matches(struct parse name, const char *pattern);

#endif
