/* SPDX-License-Identifier: MIT */
#include "collect/top.h"

#include "collect/tasks.h"
#include "loader/memory.h"

uint32_t rate_of_cpus(uint64_t ns, const struct sample *sample)
{
	uint64_t all_us = sample->elapsed_ns / 1000 * sample->cpus;
	uint64_t us = ns / 1000 < all_us ? ns / 1000 : all_us;

	for (; all_us >> 43; all_us >>= 1)	/* PPM times it must fit */
		us >>= 1;
	return all_us ? (uint32_t)(us * PPM / all_us) : 0;
}

uint64_t rate_of_bytes(uint64_t bytes, const struct sample *sample)
{
	uint64_t ms = sample->elapsed_ns / 1000000;

	return ms ? bytes / ms * 1000 + bytes % ms * 1000 / ms : 0;
}

void top_begin(struct top *top, const struct tasks_options *options, const struct sample *sample)
{
	uint32_t limit = options->top_rows < TOP_MAX ? options->top_rows : TOP_MAX;
	uint64_t elapsed_us = sample->elapsed_ns / 1000, elapsed_ms = elapsed_us / 1000;
	int rates = (sample->known & KNOWS_RATES) != 0;

	top->page_size = options->page_size;
	top->cpu.rows = top->memory.rows = top->io.rows = 0;
	top->cpu.limit = top->io.limit = rates ? limit : 0;
	top->memory.limit = limit;
	/* ms x ppm = ns; bytes per second x ms / 1,000, in parts that do not overflow */
	top->cpu.min_key = elapsed_us * sample->cpus / 1000 * options->min_cpu_ppm;
	top->memory.min_key = options->min_rss_bytes / options->page_size;
	top->io.min_key = options->min_io_bytes_per_second / 1000 * elapsed_ms +
			  options->min_io_bytes_per_second % 1000 * elapsed_ms / 1000;
}

/* Whether a row is before what comes with that key. Of equal ones the older process is, and the ended come last. */
static bool is_before(const struct top_row *row, uint64_t key, const struct tasks_process *process)
{
	if (row->key != key)
		return row->key > key;
	return !process || (row->process && row->process < process);
}

/* Keeps the rows sorted, largest first. */
static void insert(struct top_list_building *list, uint64_t key, const struct tasks_process *process,
		   const struct ended_group *ended)
{
	uint32_t at = list->rows;

	if (!key || key < list->min_key || !list->limit)
		return;
	if (at == list->limit) {
		if (is_before(&list->row[at - 1], key, process))
			return;
		at--;
	} else {
		list->rows++;
	}
	for (; at && !is_before(&list->row[at - 1], key, process); at--)
		list->row[at] = list->row[at - 1];
	list->row[at] = (struct top_row){ key, process, ended };
}

void top_add_use(struct top *top, const struct tasks_process *process)
{
	insert(&top->cpu, process->used.cpu_ns, process, NULL);
	insert(&top->io, process->used.read_bytes + process->used.write_bytes, process, NULL);
}

void top_add_memory(struct top *top, const struct tasks_process *process)
{
	insert(&top->memory, process->rss_pages, process, NULL);
}

void top_add_ended(struct top *top, const struct ended_group *group)
{
	insert(&top->cpu, group->used.cpu_ns, NULL, group);
	insert(&top->io, group->used.read_bytes + group->used.write_bytes, NULL, group);
}

static void fill_list(const struct top_list_building *from, uint64_t page_size, const struct sample *sample,
		      struct top_list *to)
{
	to->count = from->rows;
	for (uint32_t i = 0; i < from->rows; i++) {
		const struct tasks_process *process = from->row[i].process;
		const struct ended_group *group = from->row[i].ended;
		const struct use *used = process ? &process->used : &group->used;
		struct top_entry *entry = &to->entry[i];

		*entry = (struct top_entry){
			.pid = process ? process->tgid : 0,
			.ended = process ? 0 : group->processes ? group->processes : 1,
			.threads = process ? process->threads : 0,
			.cpu_ppm = rate_of_cpus(used->cpu_ns, sample),
			.rss_bytes = process ? process->rss_pages * page_size : 0,
			.read_bytes_per_second = rate_of_bytes(used->read_bytes, sample),
			.write_bytes_per_second = rate_of_bytes(used->write_bytes, sample),
		};
		memcpy(entry->name, process ? process->name : group->name, TASK_NAME_SIZE);
	}
}

void top_fill(const struct top *top, struct sample *sample)
{
	fill_list(&top->cpu, top->page_size, sample, &sample->top_cpu);
	fill_list(&top->memory, top->page_size, sample, &sample->top_memory);
	fill_list(&top->io, top->page_size, sample, &sample->top_io);
}
