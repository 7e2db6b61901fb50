/* SPDX-License-Identifier: MIT */
#include "emit/safe.h"

#include "emit/utf8.h"
#include "emit/words.h"

static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f);
}

struct range {
	uint32_t first, last;
};

/* The ranges go up. */
static bool is_in(uint32_t code, const struct range *ranges, unsigned count)
{
	for (unsigned i = 0; i < count && code >= ranges[i].first; i++)
		if (code <= ranges[i].last)
			return true;
	return false;
}

/*
 * Invisible, and some change what stands around them: Default_Ignorable_Code_Point of Unicode 15 (DerivedCoreProperties.txt),
 * the separators of lines, and interlinear annotation.
 */
static bool is_mark(uint32_t code)
{
	static const struct range marks[] = {
		{ 0x00ad, 0x00ad },	/* soft hyphen */
		{ 0x034f, 0x034f },	/* combining grapheme joiner */
		{ 0x061c, 0x061c },	/* Arabic letter mark */
		{ 0x115f, 0x1160 },	/* Hangul fillers */
		{ 0x17b4, 0x17b5 },	/* Khmer vowels that are not seen */
		{ 0x180b, 0x180f },	/* Mongolian variation selectors, vowel separator */
		{ 0x200b, 0x200f },	/* zero width, left-to-right and right-to-left marks */
		{ 0x2028, 0x202e },	/* separators of lines; embeddings, overrides */
		{ 0x2060, 0x206f },	/* joiners, isolates */
		{ 0x3164, 0x3164 },	/* Hangul filler */
		{ 0xfe00, 0xfe0f },	/* variation selectors */
		{ 0xfeff, 0xfeff },	/* byte order mark */
		{ 0xffa0, 0xffa0 },	/* halfwidth Hangul filler */
		{ 0xfff0, 0xfffb },	/* interlinear annotation */
		{ 0x1bca0, 0x1bca3 },	/* shorthand format controls */
		{ 0x1d173, 0x1d17a },	/* beams, ties and slurs */
		{ 0xe0000, 0xe0fff },	/* tags, variation selectors */
	};

	return is_in(code, marks, sizeof marks / sizeof marks[0]);
}

/* Kept, but a name of them alone would not be seen: category Zs, and the Braille pattern without a dot. */
static bool is_blank(uint32_t code)
{
	static const struct range blanks[] = {
		{ 0x0020, 0x0020 }, { 0x00a0, 0x00a0 }, { 0x1680, 0x1680 }, { 0x2000, 0x200a }, { 0x202f, 0x202f },
		{ 0x205f, 0x205f }, { 0x2800, 0x2800 }, { 0x3000, 0x3000 },
	};

	return is_in(code, blanks, sizeof blanks / sizeof blanks[0]);
}

static int hex_digit(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The length of a \xHH at `bytes` that stands for printable ASCII, else 0. */
static size_t read_escape(const unsigned char *bytes, size_t size, uint32_t *code)
{
	int high, low;

	if (size < 4 || bytes[0] != '\\' || bytes[1] != 'x')
		return 0;
	high = hex_digit(bytes[2]);
	low = hex_digit(bytes[3]);
	if (high < 0 || low < 0)
		return 0;
	*code = (uint32_t)(high << 4 | low);
	return *code >= 0x20 && *code <= 0x7e ? 4 : 0;
}

static void put_ascii(struct text *out, char c, enum safe_for use)
{
	const char *entity = NULL;

	switch (c) {
	case '&': entity = "&amp;"; break;
	case '<': entity = "&lt;"; break;
	case '>': entity = "&gt;"; break;
	case '"': entity = "&quot;"; break;
	case '\'': entity = "&#39;"; break;
	default: break;
	}
	if (entity && (use & SAFE_PANGO))
		text_string(out, entity);
	else if (c == '"' && (use & SAFE_JSON))
		text_string(out, "\\\"");
	else if (c == '\\' && (use & SAFE_JSON))
		text_string(out, "\\u005c");
	else if ((c == '\\' || c == '"') && (use & SAFE_LABEL))
		text_string(out, c == '"' ? "\\\"" : "\\\\");
	else
		text_char(out, c);
}

/* A character whose UTF-8 form, if it is not ASCII, is the `length` bytes at `bytes`. */
static void put_character(struct text *out, uint32_t code, const unsigned char *bytes,
			  size_t length, enum safe_for use)
{
	if (code < 0x80)
		put_ascii(out, (char)code, use);
	else if (code == UTF8_REPLACEMENT)
		text_string(out, "\xef\xbf\xbd");
	else
		text_bytes(out, bytes, length);
}

/* xmobar's <action=...>, dzen2's ^ca(...): nothing may follow them but a space. */
static bool begins_tag(uint32_t code)
{
	return code == '<' || code == '^';
}

/* Whether the character would make a tag of what stands before it; 0: that is not known, it is somebody else's. */
static bool opens_tag(uint32_t code, uint32_t before)
{
	if (begins_tag(before))
		return code != ' ';
	return (code == '{' || code == '[' || code == '(') && (!before || before == '%' || before == '#');
}

unsigned safe_name(struct text *out, const void *bytes, size_t size, enum safe_for use)
{
	const unsigned char *at = bytes;
	size_t start = out->used, length;
	unsigned columns = 0;
	bool visible = false;
	uint32_t code, before = 0;

	for (size_t i = 0; i < size && at[i]; i += length) {
		length = read_escape(at + i, size - i, &code);
		if (!length)
			length = utf8_read(at + i, size - i, &code);
		if (is_control(code) || is_mark(code))
			continue;
		if (use & SAFE_TAGS && opens_tag(code, before)) {
			text_char(out, ' ');
			columns++;
		}
		before = code;
		put_character(out, code, at + i, length, use);
		columns += utf8_columns(code);
		visible |= !is_blank(code);
	}
	if (use & SAFE_TAGS && begins_tag(before)) {	/* another name may follow */
		text_char(out, ' ');
		columns++;
	}
	if (visible)
		return columns;
	out->used = start;
	text_char(out, '?');
	return 1;
}

void safe_string(struct text *out, const char *string, size_t length, enum safe_for use)
{
	const unsigned char *at = (const unsigned char *)string;
	size_t step;
	uint32_t code;

	for (size_t i = 0; i < length; i += step) {
		step = utf8_read(at + i, length - i, &code);
		if (code == '\n' && (use & SAFE_LINE))
			text_char(out, ' ');
		else if (code == '\n' && (use & SAFE_JSON))
			text_string(out, "\\n");
		else if (!is_control(code))
			put_character(out, code, at + i, step, use);
	}
}

void json_string(struct text *out, const char *string)
{
	text_char(out, '"');
	safe_string(out, string, word_length(string), SAFE_JSON);
	text_char(out, '"');
}
