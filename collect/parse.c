/* SPDX-License-Identifier: MIT */
#include "collect/parse.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool append_digit(uint64_t *value, char digit)
{
	uint64_t shifted;

	return !__builtin_mul_overflow(*value, 10u, &shifted) &&
	       !__builtin_add_overflow(shifted, (uint64_t)(digit - '0'), value);
}

bool parse_u64(struct parse *p, uint64_t *value)
{
	const char *at = p->at;
	uint64_t result = 0;

	for (; at < p->end && is_digit(*at); at++)
		if (!append_digit(&result, *at))
			return false;
	if (at == p->at)
		return false;
	p->at = at;
	*value = result;
	return true;
}

bool parse_i64(struct parse *p, int64_t *value)
{
	struct parse rest = *p;
	bool negative = parse_literal(&rest, "-");
	uint64_t magnitude;

	if (!parse_u64(&rest, &magnitude) || magnitude > (uint64_t)INT64_MAX + negative)
		return false;
	*p = rest;
	*value = (int64_t)(negative ? 0 - magnitude : magnitude);
	return true;
}

bool parse_fixed(struct parse *p, unsigned decimals, uint64_t *value)
{
	struct parse rest = *p;
	uint64_t result;

	if (!parse_u64(&rest, &result))
		return false;
	if (parse_literal(&rest, ".")) {
		if (rest.at == rest.end || !is_digit(*rest.at))
			return false;
		for (; rest.at < rest.end && is_digit(*rest.at); rest.at++) {
			if (!decimals)
				continue;
			if (!append_digit(&result, *rest.at))
				return false;
			decimals--;
		}
	}
	for (; decimals; decimals--)
		if (!append_digit(&result, '0'))
			return false;
	*p = rest;
	*value = result;
	return true;
}

bool parse_literal(struct parse *p, const char *literal)
{
	const char *at = p->at;

	for (; *literal; literal++, at++)
		if (at == p->end || *at != *literal)
			return false;
	p->at = at;
	return true;
}

size_t parse_blanks(struct parse *p)
{
	const char *from = p->at;

	while (p->at < p->end && (*p->at == ' ' || *p->at == '\t'))
		p->at++;
	return (size_t)(p->at - from);
}

/*
 * The next line feed, or the end. Eight bytes at a time, the first the lowest: most of a file is lines that are passed over.
 */
static const char *find_line_feed(const char *at, const char *end)
{
	const uint64_t ones = 0x0101010101010101;

	for (; end - at >= 8; at += 8) {
		uint64_t word, found;

		__builtin_memcpy(&word, at, 8);
		word ^= ones * '\n';
		found = (word - ones) & ~word & ones << 7;	/* the highest bit of what is 0 now; the lowest such is right */
		if (found)
			return at + __builtin_ctzll(found) / 8;
	}
	while (at < end && *at != '\n')
		at++;
	return at;
}

bool parse_line(struct parse *p, struct parse *line)
{
	const char *at = find_line_feed(p->at, p->end);

	if (at == p->end)
		return false;
	*line = (struct parse){ .at = p->at, .end = at };
	p->at = at + 1;
	return true;
}

bool parse_find(const struct parse *p, const char *key, struct parse *rest)
{
	struct parse lines = *p, line;

	while (parse_line(&lines, &line)) {
		if (!parse_literal(&line, key))
			continue;
		*rest = line;
		return true;
	}
	return false;
}

struct parse parse_trimmed(struct parse p)
{
	while (p.at < p.end && is_space(*p.at))
		p.at++;
	while (p.end > p.at && is_space(p.end[-1]))
		p.end--;
	return p;
}

bool parse_whole_i64(const void *bytes, size_t size, int64_t *value)
{
	struct parse p = parse_trimmed(parse_over(bytes, size));
	int64_t result;

	if (!parse_i64(&p, &result) || parse_left(&p))
		return false;
	*value = result;
	return true;
}

bool parse_matches(struct parse name, const char *pattern)
{
	for (; *pattern; pattern++) {
		if (*pattern == '*' && !pattern[1])
			return true;
		if (name.at == name.end)
			return false;
		if (*pattern == '#') {
			if (!is_digit(*name.at))
				return false;
			while (name.at < name.end && is_digit(*name.at))
				name.at++;
		} else if (*name.at++ != *pattern) {
			return false;
		}
	}
	return name.at == name.end;
}
