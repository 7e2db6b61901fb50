/* SPDX-License-Identifier: MIT */
#include "loader/text.h"

#include "loader/memory.h"

enum { DIGITS_MAX = 20 };	/* of a 64-bit number */

void text_bytes(struct text *t, const void *bytes, size_t length)
{
	size_t room = t->size - t->used;

	if (length > room) {
		length = room;
		t->cut = true;
	}
	if (length)
		memcpy(t->data + t->used, bytes, length);
	t->used += length;
}

void text_string(struct text *t, const char *string)
{
	size_t length = 0;

	while (string[length])
		length++;
	text_bytes(t, string, length);
}

void text_char(struct text *t, char c)
{
	if (t->used < t->size)
		t->data[t->used++] = c;
	else
		t->cut = true;
}

static void put_digits(struct text *t, uint64_t value, unsigned base, unsigned at_least)
{
	char digits[DIGITS_MAX];
	unsigned at = DIGITS_MAX;

	do {
		digits[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value || DIGITS_MAX - at < at_least);
	text_bytes(t, digits + at, DIGITS_MAX - at);
}

void text_unsigned(struct text *t, uint64_t value)
{
	put_digits(t, value, 10, 1);
}

void text_signed(struct text *t, int64_t value)
{
	if (value < 0)
		text_char(t, '-');
	put_digits(t, value < 0 ? -(uint64_t)value : (uint64_t)value, 10, 1);
}

void text_hex(struct text *t, uint64_t value)
{
	put_digits(t, value, 16, 1);
}

void text_fixed(struct text *t, uint64_t value, unsigned scale, unsigned decimals)
{
	uint64_t drop = 1, unit = 1;

	for (unsigned i = decimals; i < scale; i++)
		drop *= 10;
	for (unsigned i = 0; i < decimals; i++)
		unit *= 10;
	value = value / drop + (value % drop >= (drop + 1) / 2 && drop > 1);
	put_digits(t, value / unit, 10, 1);
	if (decimals) {
		text_char(t, '.');
		put_digits(t, value % unit, 10, decimals);
	}
}

void text_errno(struct text *t, int error)
{
	static const struct {
		int error;
		const char name[16];
	} names[] = {
		{ 1, "EPERM" },	      { 2, "ENOENT" },	   { 3, "ESRCH" },   { 4, "EINTR" },
		{ 5, "EIO" },	      { 6, "ENXIO" },	   { 7, "E2BIG" },   { 8, "ENOEXEC" },
		{ 9, "EBADF" },	      { 11, "EAGAIN" },	   { 12, "ENOMEM" }, { 13, "EACCES" },
		{ 14, "EFAULT" },     { 16, "EBUSY" },	   { 17, "EEXIST" }, { 19, "ENODEV" },
		{ 20, "ENOTDIR" },    { 21, "EISDIR" },	   { 22, "EINVAL" }, { 23, "ENFILE" },
		{ 24, "EMFILE" },     { 25, "ENOTTY" },	   { 27, "EFBIG" },  { 28, "ENOSPC" },
		{ 30, "EROFS" },      { 32, "EPIPE" },	   { 34, "ERANGE" }, { 36, "ENAMETOOLONG" },
		{ 38, "ENOSYS" },     { 40, "ELOOP" },	   { 61, "ENODATA" }, { 71, "EPROTO" },
		{ 75, "EOVERFLOW" },  { 95, "EOPNOTSUPP" }, { 110, "ETIMEDOUT" }, { 116, "ESTALE" },
		{ 524, "ENOTSUPP" },
	};

	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (names[i].error == error) {
			text_string(t, names[i].name);
			return;
		}
	}
	text_string(t, "errno ");
	text_signed(t, error);
}
