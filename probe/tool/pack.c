/* SPDX-License-Identifier: MIT */
/*
 * pack IN OUT: IN's size as 32 bits, then IN as one LZ4 block (the format's lz4_Block_format.md), which
 * loader/unpack.c reads. BPF instructions are mostly zeros: a fourth is left. Runs on the build host.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The format's: a match is at least 4 bytes; the last 5 bytes are literals, no match begins in the last 12. */
enum { MATCH_MIN = 4, LITERALS_LAST = 5, MATCH_LAST = 12, DISTANCE_MAX = 65535 };

static uint8_t *out;
static size_t used;

static _Noreturn void fail(const char *what, const char *path)
{
	fprintf(stderr, "pack: %s %s\n", what, path);
	exit(1);
}

/* The longest match before `at`: its length, or 0. next[i]: the position before i with the same first two bytes. */
static size_t find_match(const uint8_t *in, size_t size, const int32_t *next, size_t at, size_t *distance)
{
	size_t best = 0, room = size - LITERALS_LAST - at;

	if (at + MATCH_LAST > size)
		return 0;
	for (int32_t from = next[at]; from >= 0 && at - (size_t)from <= DISTANCE_MAX; from = next[from]) {
		size_t length = 2;

		while (length < room && in[from + length] == in[at + length])
			length++;
		if (length > best) {
			best = length;
			*distance = at - (size_t)from;
		}
	}
	return best < MATCH_MIN ? 0 : best;
}

static void put_rest(size_t length)
{
	for (; length >= 255; length -= 255)
		out[used++] = 255;
	out[used++] = (uint8_t)length;
}

static void put_sequence(const uint8_t *literals, size_t count, size_t match, size_t distance)
{
	size_t rest = match ? match - MATCH_MIN : 0;

	out[used++] = (uint8_t)((count < 15 ? count : 15) << 4 | (rest < 15 ? rest : 15));
	if (count >= 15)
		put_rest(count - 15);
	memcpy(out + used, literals, count);
	used += count;
	if (!match)
		return;
	out[used++] = (uint8_t)distance;
	out[used++] = (uint8_t)(distance >> 8);
	if (rest >= 15)
		put_rest(rest - 15);
}

static void pack(const uint8_t *in, size_t size)
{
	int32_t *next = malloc((size + 1) * sizeof *next), *last = malloc(65536 * sizeof *last);
	size_t literals = 0, distance, later;

	if (!next || !last)
		fail("no memory", "");
	memset(last, 0xff, 65536 * sizeof *last);
	for (size_t i = 0; i + 1 < size; i++) {
		unsigned pair = in[i] | in[i + 1] << 8;

		next[i] = last[pair];
		last[pair] = (int32_t)i;
	}
	for (size_t at = 0; at < size;) {
		size_t length = find_match(in, size, next, at, &distance);

		/* a literal and a longer match after it are often shorter */
		if (!length || find_match(in, size, next, at + 1, &later) > length + 1) {
			at++;
			continue;
		}
		put_sequence(in + literals, at - literals, length, distance);
		at += length;
		literals = at;
	}
	put_sequence(in + literals, size - literals, 0, 0);
	free(next);
	free(last);
}

int main(int argc, char **argv)
{
	FILE *file;
	uint8_t *in;
	long size;

	if (argc != 3)
		fail("usage:", "pack IN OUT");
	file = fopen(argv[1], "rb");
	if (!file || fseek(file, 0, SEEK_END) || (size = ftell(file)) <= MATCH_LAST || size > INT32_MAX / 2)
		fail("cannot read", argv[1]);
	rewind(file);
	in = malloc((size_t)size);
	out = malloc((size_t)size * 2 + 64);
	if (!in || !out || fread(in, 1, (size_t)size, file) != (size_t)size || fclose(file))
		fail("cannot read", argv[1]);
	for (; used < 4; used++)
		out[used] = (uint8_t)(size >> 8 * used);
	pack(in, (size_t)size);
	file = fopen(argv[2], "wb");
	if (!file || fwrite(out, 1, used, file) != used || fclose(file))
		fail("cannot write", argv[2]);
	free(in);
	free(out);
	return 0;
}
