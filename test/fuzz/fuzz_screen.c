/* SPDX-License-Identifier: MIT */
/*
 * The live view on a terminal that is not ours, libvterm: drawn over two windows full of different rubbish, both show the
 * same afterwards, nothing has scrolled, and the only sequences are those that place, erase and colour.
 */
#include "test/fuzz/judge.h"
#include "test/fuzz/sample.h"

#include <vterm.h>

#include "emit/screen.h"
#include "emit/utf8.h"

enum { DRAWN_ROWS = 60, DRAWN_COLUMNS = 200 };

static unsigned scrolled;

static int on_scroll(int columns, const VTermScreenCell *cells, void *user)
{
	(void)columns, (void)cells, (void)user;
	scrolled++;
	return 0;
}

/* ESC [ numbers and one of H K m: 1 for what moves or erases. */
static void check_sequences(const struct text *t, bool colour)
{
	for (size_t i = 0; i < t->used; i++) {
		if (t->data[i] != '\x1b')
			continue;
		MUST(++i < t->used && t->data[i] == '[');
		for (i++; i < t->used && (g_ascii_isdigit(t->data[i]) || t->data[i] == ';');)
			i++;
		MUST(i < t->used && (t->data[i] == 'H' || t->data[i] == 'K' || (colour && t->data[i] == 'm')));
	}
	judge_plain(t->data, t->used, "\x1b");
}

/*
 * Where terminal and we agree how wide the characters are. They need not: libvterm has its own table, of another Unicode.
 * Those of ranges where tables do not differ.
 */
static bool widths_agree(const struct text *t)
{
	uint32_t code;

	for (size_t i = 0; i < t->used;) {
		i += utf8_read((const unsigned char *)t->data + i, t->used - i, &code);
		if (code >= 0xa0 && !(code < 0x250) && !(code >= 0x2010 && code <= 0x2027) && !(code >= 0x2190 && code <= 0x21ff) &&
		    !(code >= 0x2580 && code <= 0x259f) && !(code >= 0x4e00 && code <= 0x9fff) && code != UTF8_REPLACEMENT)
			return false;
	}
	return true;
}

static VTerm *window(int rows, int columns, char rubbish, VTermScreen **screen)
{
	static VTermScreenCallbacks callbacks = { .sb_pushline = on_scroll };
	VTerm *terminal = vterm_new(rows, columns);
	char *line = malloc((size_t)columns);

	vterm_set_utf8(terminal, 1);
	*screen = vterm_obtain_screen(terminal);
	vterm_screen_set_callbacks(*screen, &callbacks, NULL);
	vterm_screen_reset(*screen, 1);
	memset(line, rubbish, (size_t)columns);
	for (int row = 1; row <= rows; row++) {
		char to[24];

		vterm_input_write(terminal, to, (size_t)snprintf(to, sizeof to, "\x1b[%d;1H", row));
		vterm_input_write(terminal, line, (size_t)columns);
	}
	free(line);
	scrolled = 0;
	return terminal;
}

static void check_window(const struct text *t, int rows, int columns)
{
	VTermScreen *screen[2];
	VTerm *terminal[2];

	for (int i = 0; i < 2; i++) {
		terminal[i] = window(rows, columns, i ? '#' : '@', &screen[i]);
		MUST(vterm_input_write(terminal[i], t->data, t->used) == t->used);
		MUST(!scrolled);
	}
	for (int row = 0; row < rows; row++) {
		for (int column = 0; column < columns; column++) {
			VTermPos at = { row, column };
			VTermScreenCell a, b;

			/* characters behind the last are left as they are */
			memset(&a, 0, sizeof a);
			memset(&b, 0, sizeof b);
			vterm_screen_get_cell(screen[0], at, &a);
			vterm_screen_get_cell(screen[1], at, &b);
			if (a.chars[0] != b.chars[0])
				fprintf(stderr, "row %d column %d: U+%04x U+%04x\n", row, column, a.chars[0], b.chars[0]);
			MUST(!memcmp(a.chars, b.chars, sizeof a.chars) && a.width == b.width);
		}
	}
	vterm_free(terminal[0]);
	vterm_free(terminal[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed feed = feed_over(data, size);
	uint8_t bits = feed_byte(&feed);
	struct screen screen = {
		.rows = (uint16_t)feed_upto(&feed, UINT16_MAX),
		.columns = (uint16_t)feed_upto(&feed, UINT16_MAX),
		.colour = bits & 1, .paused = bits & 2, .help = bits & 4,
		.scroll = (uint32_t)feed_upto(&feed, TOP_MAX),
	};
	struct options o = { .kernel_threads = bits & 8, .list = (enum list)(bits >> 4) % LISTS, .text = "" };
	struct text t = text_over(malloc(FACE_SIZE_MAX), FACE_SIZE_MAX);
	struct sample s;

	feed_sample(&feed, &s);
	screen_write(&t, &s, &o, &screen);
	MUST(!t.cut && screen.scroll <= TOP_MAX);
	check_sequences(&t, screen.colour);
	/* libvterm wants 1 x 1 at least, and takes its time for large ones */
	if (screen.rows && screen.columns && screen.rows <= DRAWN_ROWS && screen.columns <= DRAWN_COLUMNS && widths_agree(&t) &&
	    screen.rows > 1)
		check_window(&t, screen.rows, screen.columns);
	CHECK_CUT(&t, size % (t.used + 2), screen_write(cut, &s, &o, &screen));
	free(t.data);
	return 0;
}
