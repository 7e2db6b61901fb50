/* SPDX-License-Identifier: MIT */
#include "collect/memory.h"

#include "collect/file.h"
#include "collect/parse.h"

/*
 * What is needed stands in the first page of each file: the first lines of meminfo, line 75 of
 * vmstat, about line 50 of arcstats. One read of a seq_file returns no more than a page where its
 * lines are many.
 */
enum { MEMORY_FILE_SIZE = 4096 };

/* A line of meminfo, "MemTotal:       16306968 kB", in bytes. */
static bool find_bytes(const struct parse *text, const char *key, uint64_t *bytes)
{
	struct parse rest;
	uint64_t kilobytes;

	if (!parse_find(text, key, &rest))
		return false;
	parse_blanks(&rest);
	if (!parse_u64(&rest, &kilobytes) || !parse_blanks(&rest) || !parse_literal(&rest, "kB") ||
	    parse_left(&rest))
		return false;
	return !__builtin_mul_overflow(kilobytes, (uint64_t)1024, bytes);
}

/* Before MemAvailable (3.14) there was only this estimate. */
static bool estimate_available(const struct parse *text, uint64_t *bytes)
{
	uint64_t free_bytes, buffers, cached, sum;

	return find_bytes(text, "MemFree:", &free_bytes) &&
	       find_bytes(text, "Buffers:", &buffers) && find_bytes(text, "Cached:", &cached) &&
	       !__builtin_add_overflow(free_bytes, buffers, &sum) &&
	       !__builtin_add_overflow(sum, cached, bytes);
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

bool memory_parse_meminfo(const void *bytes, size_t size, struct memory_info *info)
{
	struct parse text = parse_over(bytes, size);
	struct memory_info found = { 0 };

	if (!find_bytes(&text, "MemTotal:", &found.total_bytes) || !found.total_bytes)
		return false;
	if (!find_bytes(&text, "MemAvailable:", &found.available_bytes) &&
	    !estimate_available(&text, &found.available_bytes))
		return false;
	found.available_bytes = smaller(found.available_bytes, found.total_bytes);
	if (!find_bytes(&text, "SwapTotal:", &found.swap_total_bytes) ||
	    !find_bytes(&text, "SwapFree:", &found.swap_free_bytes))
		found.swap_total_bytes = found.swap_free_bytes = 0;
	found.swap_free_bytes = smaller(found.swap_free_bytes, found.swap_total_bytes);
	*info = found;
	return true;
}

/* A line of vmstat: "pswpin 0". The key ends with its blank. */
static bool find_count(const struct parse *text, const char *key, uint64_t *count)
{
	struct parse rest;

	return parse_find(text, key, &rest) && parse_u64(&rest, count) && !parse_left(&rest);
}

bool memory_parse_vmstat(const void *bytes, size_t size, struct memory_swapped *swapped)
{
	struct parse text = parse_over(bytes, size);
	struct memory_swapped found;

	if (!find_count(&text, "pswpin ", &found.in) || !find_count(&text, "pswpout ", &found.out))
		return false;
	*swapped = found;
	return true;
}

/* A line of arcstats: name, type, value; type 4 is KSTAT_DATA_UINT64. */
static bool find_kstat(const struct parse *text, const char *key, uint64_t *value)
{
	struct parse rest;

	if (!parse_find(text, key, &rest))
		return false;
	parse_blanks(&rest);
	if (!parse_literal(&rest, "4") || !parse_blanks(&rest) || !parse_u64(&rest, value))
		return false;
	parse_blanks(&rest);
	return !parse_left(&rest);
}

bool memory_parse_arcstats(const void *bytes, size_t size, uint64_t *reclaimable)
{
	struct parse text = parse_over(bytes, size);
	uint64_t used, minimum;

	if (!find_kstat(&text, "size ", &used) || !find_kstat(&text, "c_min ", &minimum))
		return false;
	*reclaimable = used > minimum ? used - minimum : 0;
	return true;
}

uint64_t memory_rate(uint64_t count, uint64_t unit, uint64_t elapsed_ns)
{
	uint64_t elapsed_us = elapsed_ns / 1000, bytes, scaled, rate;

	if (!elapsed_us)
		return 0;
	if (__builtin_mul_overflow(count, unit, &bytes))
		return UINT64_MAX;
	if (!__builtin_mul_overflow(bytes, (uint64_t)1000000, &scaled))
		return scaled / elapsed_us;
	return __builtin_mul_overflow(bytes / elapsed_us, (uint64_t)1000000, &rate) ? UINT64_MAX :
										      rate;
}

void memory_open(struct memory_source *memory, int root)
{
	memory->meminfo = file_open(root, "proc/meminfo");
	memory->vmstat = file_open(root, "proc/vmstat");
	memory->arcstats = file_open(root, "proc/spl/kstat/zfs/arcstats");
	memory->has_before = memory->swapped_out = false;
}

static bool read_swapped(struct memory_source *memory, struct memory_swapped *swapped)
{
	char bytes[MEMORY_FILE_SIZE];
	long size = file_read(&memory->vmstat, bytes, sizeof bytes);

	return size > 0 && memory_parse_vmstat(bytes, (size_t)size, swapped);
}

static void set_swap_rates(struct memory_source *memory, struct sample *sample)
{
	const struct memory_swapped before = memory->before;
	struct memory_swapped now;
	bool had_before = memory->has_before;

	memory->swapped_out = false;
	memory->has_before = sample->swap_total_bytes && read_swapped(memory, &now);
	if (!memory->has_before)
		return;
	memory->before = now;
	if (!had_before || now.in < before.in || now.out < before.out)
		return;
	memory->swapped_out = now.out > before.out;
	if (!(sample->known & KNOWS_RATES) || !sample->elapsed_ns)
		return;
	sample->swap_in_bytes_per_second =
		memory_rate(now.in - before.in, memory->page_size, sample->elapsed_ns);
	sample->swap_out_bytes_per_second =
		memory_rate(now.out - before.out, memory->page_size, sample->elapsed_ns);
	sample->known |= KNOWS_SWAP_RATES;
}

static void add_reclaimable(struct memory_source *memory, struct memory_info *info)
{
	char bytes[MEMORY_FILE_SIZE];
	long size = file_read(&memory->arcstats, bytes, sizeof bytes);
	uint64_t reclaimable;

	if (size > 0 && memory_parse_arcstats(bytes, (size_t)size, &reclaimable))
		info->available_bytes +=
			smaller(reclaimable, info->total_bytes - info->available_bytes);
}

void memory_read(struct memory_source *memory, struct sample *sample)
{
	char bytes[MEMORY_FILE_SIZE];
	long size = file_read(&memory->meminfo, bytes, sizeof bytes);
	struct memory_info info;

	if (size <= 0 || !memory_parse_meminfo(bytes, (size_t)size, &info)) {
		memory->has_before = memory->swapped_out = false;
		return;
	}
	add_reclaimable(memory, &info);
	sample->memory_total_bytes = info.total_bytes;
	sample->memory_available_bytes = info.available_bytes;
	sample->memory_used_bytes = info.total_bytes - info.available_bytes;
	sample->swap_total_bytes = info.swap_total_bytes;
	sample->swap_used_bytes = info.swap_total_bytes - info.swap_free_bytes;
	sample->known |= KNOWS_MEMORY;
	set_swap_rates(memory, sample);
}
