/* SPDX-License-Identifier: MIT */
/* What changes while it runs: keys of the live view, clicks through the face i3bar, and what signals call. */
#include "test/fuzz/fuzz.h"

#include "emit/control.h"
#include "emit/i3bar.h"
#include "emit/screen.h"

static void check(const struct options *o, const struct screen *screen, uint32_t first_ms)
{
	static const uint32_t steps[] = { 100, 250, 500, 1000, 2000 };
	bool known = o->interval_ms == first_ms;

	for (unsigned i = 0; i < COUNT_OF(steps); i++)
		known |= o->interval_ms == steps[i];
	MUST(known && o->list < LISTS && screen->scroll <= TOP_MAX && screen->keys <= 3);
	MUST(control_rows(o) <= TOP_MAX);
}

/* The same in one piece and byte by byte. */
static void check_pieces(const struct options *before, const char *data, size_t size)
{
	struct options whole = *before, parts = *before;
	struct screen one = { 0 }, other = { 0 };
	enum face_asks asks = screen_keys(&one, &whole, data, size), most = FACE_NOTHING;

	for (size_t i = 0; i < size && most != FACE_QUIT; i++) {
		enum face_asks asked = screen_keys(&other, &parts, data + i, 1);

		if (asked > most)
			most = asked;
		check(&parts, &other, before->interval_ms);
	}
	MUST(asks == most && whole.interval_ms == parts.interval_ms && whole.list == parts.list &&
	     whole.kernel_threads == parts.kernel_threads && one.scroll == other.scroll && one.paused == other.paused &&
	     one.help == other.help);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const controls[])(struct options *o) = {
		control_next_interval, control_faster, control_slower, control_kernel_threads, control_next_list,
	};
	struct feed feed = feed_over(data, size);
	struct options o = {
		.interval_ms = 10 + (uint32_t)feed_upto(&feed, 59990),
		.top_rows = (uint32_t)feed_upto(&feed, TOP_MAX),
		.list = (enum list)feed_upto(&feed, LISTS - 1),
	}, clicked = o;
	struct screen none = { 0 };
	uint32_t first_ms = o.interval_ms;
	char *keys;

	check_pieces(&o, (const char *)feed.at, feed.left);
	for (size_t i = 0; i < feed.left; i++) {
		controls[feed.at[i] % COUNT_OF(controls)](&o);
		check(&o, &none, first_ms);
	}
	keys = exact_copy(feed.at, feed.left);
	i3bar_face.input(&clicked, keys, feed.left);
	i3bar_face.input(&clicked, "\n", 1);	/* its reader keeps its state: whatever it was in is over */
	check(&clicked, &none, first_ms);
	free(keys);
	return 0;
}
