/* SPDX-License-Identifier: MIT */
#include "loader/failure.h"

#include "loader/text.h"

enum { WHAT_MAX = 80 };

static void put_untrusted(struct text *t, const char *string)
{
	for (unsigned i = 0; i < WHAT_MAX && string[i]; i++)
		text_char(t, string[i] >= ' ' && string[i] <= '~' ? string[i] : '?');
}

int fail(struct failure *f, int error, const char *step, const char *what, const char *advice)
{
	struct text t = text_over(f->line, sizeof f->line);

	if (f->error)
		return error;
	text_string(&t, step);
	if (what) {
		text_char(&t, ' ');
		put_untrusted(&t, what);
	}
	text_string(&t, ": ");
	text_errno(&t, -error);
	if (advice) {
		text_string(&t, ": ");
		f->advice = t.used;
		text_string(&t, advice);
	}
	f->error = error;
	f->length = t.used;
	return error;
}

void failure_short(const struct failure *f, struct text *out)
{
	size_t from = f->advice < f->length ? f->advice : 0, to = from;

	while (to < f->length && !(from && (f->line[to] == ':' || f->line[to] == ';')))
		to++;
	text_bytes(out, f->line + from, to - from);
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* The kernel's half of the address space begins with ff; a number of 32 bits is none. */
void failure_hide_addresses(char *log, size_t size)
{
	enum { SMALL_DIGITS = 8 };

	for (size_t at = 0; at + 2 < size; at++) {
		size_t first = at + 2, end = first;

		if (log[at] != '0' || (log[at + 1] | 0x20) != 'x')
			continue;
		while (end < size && is_hex(log[end]))
			end++;
		if (end - first <= SMALL_DIGITS || (log[first] | 0x20) != 'f' || (log[first + 1] | 0x20) != 'f')
			continue;
		for (size_t i = first; i < end; i++)
			log[i] = '?';
	}
}
