/* SPDX-License-Identifier: MIT */
#include "collect/large.h"

#include "collect/tasks.h"

static void add_member(struct large *large, struct tasks_process *all, uint32_t index)
{
	all[index].large = 1;
	large->member[large->members++] = index;
}

void large_note(struct large *large, struct tasks_process *all, uint32_t index)
{
	if (all[index].large || all[index].rss_pages <= large->floor)
		return;
	if (large->members == LARGE_MAX)
		large->full = true;
	else
		add_member(large, all, index);
}

/* Forgets those that have ended. How many cannot have less than one who is not a member. */
static uint32_t drop_ended(struct large *large, const struct tasks_process *all)
{
	uint32_t kept = 0, sure = 0;

	for (uint32_t i = 0; i < large->members; i++) {
		const struct tasks_process *process = &all[large->member[i]];

		if (!process->tgid)
			continue;
		large->member[kept++] = large->member[i];
		sure += process->rss_pages >= large->floor;
	}
	large->members = kept;
	return sure;
}

/* The largest of all; among equal ones those that came first. */
static void choose(struct large *large, struct tasks_process *all, uint32_t count)
{
	uint32_t chosen[LARGE_KEPT], kept = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = kept;

		all[i].large = 0;
		if (!all[i].tgid || !all[i].rss_pages)
			continue;
		if (kept == LARGE_KEPT && all[chosen[kept - 1]].rss_pages >= all[i].rss_pages)
			continue;
		if (kept == LARGE_KEPT)
			at--;
		else
			kept++;
		for (; at && all[chosen[at - 1]].rss_pages < all[i].rss_pages; at--)
			chosen[at] = chosen[at - 1];
		chosen[at] = i;
	}
	*large = (struct large){ .floor = kept == LARGE_KEPT ? all[chosen[kept - 1]].rss_pages : 0 };
	for (uint32_t i = 0; i < kept; i++)
		add_member(large, all, chosen[i]);
}

void large_offer(struct large *large, struct tasks_process *all, uint32_t count, struct top *top)
{
	uint32_t sure = drop_ended(large, all);

	if (large->full || (large->floor && sure < TOP_MAX))
		choose(large, all, count);
	for (uint32_t i = 0; i < large->members; i++)
		top_add_memory(top, &all[large->member[i]]);
}
