/* SPDX-License-Identifier: MIT */
#include "collect/shrink.h"

#include "collect/marks.h"

enum { RUN_MIN = 128 };		/* entries: some pages */

/* No task in these slots, as they were read, and none since: a mark is of who has ended there. */
static bool are_idle(const struct tasks *tasks, const struct tasks_view *view, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		uint8_t mark = mark_of(view->marks, i);

		if (tasks->seen[i].alive || tasks->seen[i].listed ||
		    (mark_is_recent(mark, view->epoch) && mark_is_of_next(mark, tasks->generation[i])))
			return false;
	}
	return true;
}

static void shrink_slots(struct tasks *tasks, const struct tasks_view *view)
{
	for (uint32_t from = 0, to; from < tasks->readable; from = to) {
		to = tasks->readable - from < view->probe->piece ? tasks->readable : from + view->probe->piece;
		if (!probe_holds(view->probe, from) || !are_idle(tasks, view, from, to))
			continue;
		probe_release(view->probe, from);
		drop_pages(&tasks->seen[from], &tasks->seen[to]);
	}
}

/* Long runs of free entries go back and are in no list: they are searched for where the list has no more. */
static void shrink_processes(struct tasks *tasks)
{
	struct tasks_process *process = tasks->process;
	uint32_t *link = &tasks->free;

	for (uint32_t i = 0, end; i < tasks->high; i = end + 1) {
		for (end = i; end < tasks->high && !process[end].tgid; end++)
			;
		if (end - i >= RUN_MIN) {
			drop_pages(process + i, process + end);
			continue;
		}
		for (; i < end; i++) {
			*link = i + 1;
			link = &process[i].next;
		}
	}
	*link = 0;
	tasks->search = 0;
	while (tasks->high && !process[tasks->high - 1].tgid)
		tasks->high--;
}

void tasks_shrink(struct tasks *tasks, const struct tasks_view *view)
{
	shrink_slots(tasks, view);
	shrink_processes(tasks);
	drop_pages(tasks->changed, tasks->watched);	/* none are left of those */
	drop_pages(tasks->watched + tasks->watched_count, tasks->blocked);
	drop_pages(tasks->blocked + tasks->blocked_count, tasks->generation);
}
