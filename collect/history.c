/* SPDX-License-Identifier: MIT */
#include "collect/history.h"

#include "loader/memory.h"

enum {
	COLUMN_US = 1000000,
	SLACK_US = COLUMN_US / 20,	/* timers are a little early now and then */
	STEP_MAX_US = 3600 * 1000000u,	/* a machine that slept: what came before weighs nothing against it anyway */
};

static void push(struct series *series, uint64_t ppm)
{
	if (series->count == HISTORY_MAX)
		memmove(series->level, series->level + 1, --series->count);
	series->level[series->count++] = (uint8_t)(ppm < PPM ? ppm * 256 / PPM : UINT8_MAX);
}

static uint64_t memory_ppm(const struct sample *s)
{
	if (!(s->known & KNOWS_MEMORY) || !s->memory_total_bytes)
		return 0;
	return (s->memory_used_bytes >> 10) * PPM / ((s->memory_total_bytes >> 10) + 1);
}

void history_add(struct history *history, struct sample *sample)
{
	uint64_t us = sample->elapsed_ns / 1000;

	if (!(sample->known & KNOWS_RATES))
		return;
	if (us > STEP_MAX_US)
		us = STEP_MAX_US;
	history->elapsed_us += us;
	history->cpu_ppm_us += sample->cpu_ppm * us;
	history->memory_ppm_us += memory_ppm(sample) * us;
	if (history->elapsed_us < COLUMN_US - SLACK_US)
		return;
	push(&sample->cpu_history, history->cpu_ppm_us / history->elapsed_us);
	push(&sample->memory_history, history->memory_ppm_us / history->elapsed_us);
	*history = (struct history){ 0 };
}
