/* SPDX-License-Identifier: MIT */
/* What graphs show: samples of any length and amount, one after the other, and the graph of them. */
#include "test/fuzz/fuzz.h"

#include "collect/history.h"
#include "emit/format.h"
#include "emit/utf8.h"

static void check_graph(const struct series *series, unsigned width)
{
	char *data = malloc(3 * (size_t)width + 1);
	struct text t = text_over(data, 3 * (size_t)width);

	MUST(data);
	format_graph(&t, series, width);
	MUST(!t.cut && utf8_width(t.data, t.used) == width);
	free(data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed feed = feed_over(data, size);
	struct history history = { 0 };
	struct sample s = { 0 };

	while (feed.left) {
		uint8_t before = s.cpu_history.count, how = feed_byte(&feed);

		s.known = how & (KNOWS_RATES | KNOWS_MEMORY);
		s.elapsed_ns = how & 8 ? 1000000000 : feed_number(&feed);
		s.cpu_ppm = (uint32_t)feed_upto(&feed, PPM);
		s.memory_total_bytes = feed_number(&feed);
		s.memory_used_bytes = feed_upto(&feed, s.memory_total_bytes);
		history_add(&history, &s);
		MUST(s.cpu_history.count <= HISTORY_MAX && s.cpu_history.count == s.memory_history.count);
		MUST(s.cpu_history.count == before || s.cpu_history.count == before + 1);
		/* a column is the mean of what lies in it */
		if (s.cpu_history.count > before && s.cpu_ppm == PPM && history.elapsed_us == 0 && s.elapsed_ns >= 3600000000000)
			MUST(s.cpu_history.level[before] > 250);
	}
	check_graph(&s.cpu_history, size % 300);
	check_graph(&s.memory_history, 10);
	return 0;
}
