/* SPDX-License-Identifier: MIT */
#include "emit/format.h"

#include "emit/utf8.h"
#include "loader/memory.h"

void format_bytes(struct text *out, uint64_t bytes)
{
	static const char suffixes[] = "BKMGTPE";
	unsigned shift = 0;
	uint64_t whole, rest, tenths;

	/* The next unit where this one would need a fourth digit, rounding included. */
	for (;; shift += 10) {
		whole = bytes >> shift;
		rest = bytes & ((UINT64_C(1) << shift) - 1);
		whole += shift && rest >> (shift - 1);
		if (whole < 1000)
			break;
	}
	if (!shift) {
		text_unsigned(out, whole);
		if (whole)
			text_char(out, 'B');
		return;
	}
	tenths = (bytes >> shift) * 10 + ((rest * 10 + (UINT64_C(1) << (shift - 1))) >> shift);
	if (tenths < 100)
		text_fixed(out, tenths, 1, 1);
	else
		text_unsigned(out, whole);
	text_char(out, suffixes[shift / 10]);
}

void format_rate(struct text *out, uint64_t bytes_per_second)
{
	format_bytes(out, bytes_per_second);
	text_string(out, "/s");
}

void format_percent(struct text *out, uint32_t ppm, bool fine)
{
	text_fixed(out, ppm, 4, fine && ppm < 99500);
}

void format_frequency(struct text *out, uint64_t hz)
{
	if (hz >= 999500000) {
		text_fixed(out, hz / 1000000, 3, 1);
		text_string(out, "GHz");
	} else {
		text_fixed(out, hz, 6, 0);
		text_string(out, "MHz");
	}
}

void format_duration(struct text *out, uint64_t ns)
{
	static const struct {
		uint64_t unit_ns;
		const char name[4];
	} units[] = { { 1000000000, "s" }, { 1000000, "ms" }, { 1000, "µs" }, { 1, "ns" } };
	unsigned i = 0;
	uint64_t tenths;

	while (ns < units[i].unit_ns && units[i].unit_ns > 1)
		i++;
	text_unsigned(out, ns / units[i].unit_ns);
	tenths = ns % units[i].unit_ns * 10 / units[i].unit_ns;
	if (tenths && ns / units[i].unit_ns < 10) {
		text_char(out, '.');
		text_unsigned(out, tenths);
	}
	text_string(out, units[i].name);
}

void format_degrees(struct text *out, int32_t milli)
{
	if (milli <= -500)
		text_char(out, '-');
	text_fixed(out, milli < 0 ? -(uint64_t)milli : (uint64_t)milli, 3, 0);
}

const char *format_source(enum source source)
{
	static const char *const names[] = {
		[SOURCE_BTF] = "btf",
		[SOURCE_RAW] = "raw",
		[SOURCE_PERF] = "perf",
		[SOURCE_PROC] = "proc",
	};

	return names[source];
}

uint32_t format_share(uint64_t part, uint64_t whole)
{
	if (part >= whole)
		return whole ? PPM : 0;
	while (whole > UINT64_MAX / PPM) {
		part >>= 1;
		whole >>= 1;
	}
	return (uint32_t)(part * PPM / whole);
}

void format_graph(struct text *out, const struct series *series, unsigned width)
{
	enum { HEIGHT = 256 / 8 };
	unsigned count = series->count < HISTORY_MAX ? series->count : HISTORY_MAX;
	unsigned shown = count < width ? count : width;
	char block[] = "\xe2\x96\x81";	/* U+2581, a lower eighth; those that follow are higher */

	format_gap(out, shown, width);
	for (unsigned i = count - shown; i < count; i++) {
		block[2] = (char)(0x81 + series->level[i] / HEIGHT);
		text_string(out, block);
	}
}

void format_right(struct text *out, size_t start, unsigned width)
{
	size_t length = out->used - start, pad;

	format_left(out, start, width);
	pad = out->used - start - length;
	if (!pad)
		return;
	memmove(out->data + start + pad, out->data + start, length);
	memset(out->data + start, ' ', pad);
}

void format_left(struct text *out, size_t start, unsigned width)
{
	format_gap(out, utf8_width(out->data + start, out->used - start), width);
}

void format_gap(struct text *out, unsigned columns, unsigned width)
{
	for (; columns < width; columns++)
		text_char(out, ' ');
}
