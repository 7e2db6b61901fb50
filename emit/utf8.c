/* SPDX-License-Identifier: MIT */
#include "emit/utf8.h"

/*
 * Table 3-7 of the Unicode standard: the lead byte decides the length and the range of the second
 * byte.
 */
size_t utf8_read(const unsigned char *bytes, size_t size, uint32_t *code)
{
	unsigned char lead = bytes[0], low = 0x80, high = 0xbf;
	size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	uint32_t value = lead & (0xffu >> (length + 1));

	*code = lead;
	if (lead < 0x80)
		return 1;
	*code = UTF8_REPLACEMENT;
	if (lead < 0xc2 || lead > 0xf4)
		return 1;
	switch (lead) {
	case 0xe0: low = 0xa0; break;
	case 0xed: high = 0x9f; break;
	case 0xf0: low = 0x90; break;
	case 0xf4: high = 0x8f; break;
	default: break;
	}
	for (size_t i = 1; i < length; i++) {
		if (i == size || bytes[i] < low || bytes[i] > high)
			return i;
		value = value << 6 | (bytes[i] & 0x3f);
		low = 0x80;
		high = 0xbf;
	}
	*code = value;
	return length;
}

/*
 * Unicode 15, EastAsianWidth W and F, and the blocks of combining marks; rare scripts count as one
 * column. The ranges go up, and most characters stand before the first.
 */
unsigned utf8_columns(uint32_t code)
{
	static const struct {
		uint32_t first, last, columns;
	} ranges[] = {
		{ 0x0300, 0x036f, 0 },	 { 0x1100, 0x115f, 2 },	  { 0x1ab0, 0x1aff, 0 },
		{ 0x1dc0, 0x1dff, 0 },	 { 0x20d0, 0x20ff, 0 },	  { 0x2e80, 0x303e, 2 },
		{ 0x3041, 0xa4cf, 2 },	 { 0xa960, 0xa97c, 2 },	  { 0xac00, 0xd7a3, 2 },
		{ 0xf900, 0xfaff, 2 },	 { 0xfe00, 0xfe0f, 0 },	  { 0xfe20, 0xfe2f, 0 },
		{ 0xfe30, 0xfe6f, 2 },	 { 0xff00, 0xff60, 2 },	  { 0xffe0, 0xffe6, 2 },
		{ 0x1f300, 0x1f64f, 2 }, { 0x1f680, 0x1f6ff, 2 }, { 0x1f900, 0x1f9ff, 2 },
		{ 0x20000, 0x3fffd, 2 }, { 0xe0100, 0xe01ef, 0 },
	};

	for (unsigned i = 0; i < sizeof ranges / sizeof ranges[0] && code >= ranges[i].first; i++) {
		if (code <= ranges[i].last)
			return ranges[i].columns;
	}
	return 1;
}

unsigned utf8_width(const void *bytes, size_t size)
{
	const unsigned char *at = bytes;
	unsigned columns = 0;
	uint32_t code;

	for (size_t i = 0; i < size;) {
		i += utf8_read(at + i, size - i, &code);
		columns += utf8_columns(code);
	}
	return columns;
}
