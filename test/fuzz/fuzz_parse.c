/* SPDX-License-Identifier: MIT */
/*
 * The small parsers of collect/ and loader/machine.c, each on the bytes behind the first one, which says which. Numbers are
 * held against the C library.
 */
#include "test/fuzz/fuzz.h"

#include <ctype.h>
#include <errno.h>

#include "collect/cpufreq.h"
#include "collect/file.h"
#include "collect/gpu.h"
#include "collect/memory.h"
#include "collect/parse.h"
#include "collect/power.h"
#include "collect/pressure.h"
#include "collect/proc.h"
#include "collect/system.h"
#include "collect/thermal.h"
#include "loader/machine.h"

static const char *text;
static size_t length;
static struct parse all;

static void check_cursor(const struct parse *p)
{
	MUST(p->at >= all.at && p->at <= p->end && p->end <= all.end);
}

static void numbers(void)
{
	struct parse p = all, q = all;
	uint64_t value = 77, want;
	int64_t number = 77;
	char *copy = strndup(text, length), *end;

	errno = 0;
	want = strtoull(copy, &end, 10);
	if (parse_u64(&p, &value))
		MUST(!errno && value == want && p.at - all.at == end - copy);
	else
		MUST(value == 77 && p.at == all.at && (errno || !length || *copy < '0' || *copy > '9'));
	errno = 0;
	want = (uint64_t)strtoll(copy, &end, 10);
	if (parse_i64(&q, &number))
		MUST(!errno && number == (int64_t)want && q.at - all.at == end - copy);
	else
		MUST(number == 77 && q.at == all.at);
	check_cursor(&p);
	free(copy);
}

static void fixed(void)
{
	unsigned decimals = length ? (unsigned)text[0] % 20 : 0;
	struct parse p = all;
	uint64_t value = 77;
	char *copy;
	double want;

	if (length)
		p.at++;
	copy = strndup(p.at, parse_left(&p));
	want = strtod(copy, NULL);
	if (parse_fixed(&p, decimals, &value)) {
		check_cursor(&p);
		for (unsigned i = 0; i < decimals; i++)
			want *= 10;
		/* hexadecimal and exponents are not for us */
		if (want < 1e12 && !strpbrk(copy, "xXeEpP"))
			MUST((double)value <= want + 1 && (double)value + 1.001 >= want);
	} else {
		MUST(value == 77);
	}
	free(copy);
}

static void lines(void)
{
	struct parse p = all, line, rest, trimmed = parse_trimmed(all);
	size_t count = 0, feeds = 0;
	int64_t number;

	for (size_t i = 0; i < length; i++)
		feeds += text[i] == '\n';
	while (parse_line(&p, &line)) {
		check_cursor(&line);
		MUST(!memchr(line.at, '\n', parse_left(&line)));
		count++;
	}
	MUST(count == feeds);
	if (parse_find(&all, "key:", &rest))
		check_cursor(&rest);
	check_cursor(&trimmed);
	if (parse_whole_i64(text, length, &number))
		MUST(parse_left(&trimmed));
	p = all;
	parse_blanks(&p);
	check_cursor(&p);
}

static void matches(void)
{
	static const char *const patterns[] = { "temp#_input", "card#", "*", "soc*", "Package id #", "#", "D3*", "gt#-rc", "" };

	for (unsigned i = 0; i < COUNT_OF(patterns); i++)
		if (parse_matches(all, patterns[i]) && !strchr(patterns[i], '*'))
			MUST(length >= strlen(patterns[i]));
	MUST(parse_matches(all, "*"));
}

static void cpu_lists(void)
{
	uint32_t online = system_parse_cpus(text, length), highest = machine_cpu_list(text, length);

	MUST(online <= SYSTEM_CPUS_MAX && highest <= MACHINE_CPUS_MAX);
	/* a list that both take counts no more CPUs than its highest number allows */
	if (online && highest)
		MUST(online <= highest);
}

static void pressure(void)
{
	struct pressure p;

	if (!pressure_parse(text, length, &p))
		return;
	MUST(p.known && p.some_ppm <= PPM && p.full_ppm <= PPM);
	MUST(memmem(text, length, "some avg10=", 11));
}

static void memory(void)
{
	struct memory_info info;
	struct memory_swapped swapped;
	uint64_t reclaimable;

	if (memory_parse_meminfo(text, length, &info))
		MUST(info.total_bytes && info.available_bytes <= info.total_bytes && info.swap_free_bytes <= info.swap_total_bytes);
	if (memory_parse_vmstat(text, length, &swapped))
		MUST(memmem(text, length, "pswpin ", 7));
	if (memory_parse_arcstats(text, length, &reclaimable))
		MUST(memmem(text, length, "c_min ", 6));
}

/* Bytes, units and ns: against 128 bits. */
static void rates(void)
{
	struct feed feed = feed_over((const uint8_t *)text, length);
	uint64_t count = feed_number(&feed), unit = feed_number(&feed), elapsed_ns = feed_number(&feed), rate, us = elapsed_ns / 1000;
	unsigned __int128 want = (unsigned __int128)count * unit;

	rate = memory_rate(count, unit, elapsed_ns);
	if (!us) {
		MUST(!rate);
	} else if (want > UINT64_MAX) {
		MUST(rate == UINT64_MAX);
	} else {
		want = want * 1000000 / us;
		/* cut at 64 bits; large ones may lose what a division took */
		MUST(want > UINT64_MAX ? rate >= UINT64_MAX / 1000000 * 999999 : rate <= want && want - rate <= 1000000);
	}
}

static void stat_of(void)
{
	struct proc_stat stat;

	memset(&stat, 0xa5, sizeof stat);
	if (!proc_parse_stat(text, length, &stat))
		return;
	MUST(memchr(stat.name, 0, sizeof stat.name) && stat.threads <= 1 << 22);
	MUST(text[0] >= '0' && text[0] <= '9' && memchr(text, '(', length) && memchr(text, ')', length));
}

static void words(void)
{
	char name[PROFILE_SIZE];
	size_t half = length / 2;

	if (power_parse_profile(text, length, name)) {
		MUST(memchr(name, 0, sizeof name) && *name);
		for (const char *at = name; *at; at++)
			MUST(*at >= ' ' && *at <= '~');
	}
	MUST(gpu_state_of(text, (long)half, text + half, (long)(length - half)) <= GPU_UNKNOWN);
	MUST(gpu_state_of(text, -5, text, -5) == GPU_UNKNOWN);
	MUST(thermal_rank(false, text, length) < 20 && thermal_rank(true, text, length) < 20);
	MUST(!machine_lockdown(text, length) || memmem(text, length, "[confidentiality]", 17));
}

/* Records of getdents64(2), as a kernel would hardly write them. */
static void entries(void)
{
	const char *name;
	size_t at = 0, met = 0;

	while ((name = file_next_entry(text, length, &at))) {
		MUST(name >= text && name + strlen(name) < text + length && at <= length);
		MUST(++met <= length);
	}
}

/* No number of a kernel's address is left behind, and nothing else is changed. */
static void addresses(void)
{
	char *log = exact_copy(text, length);

	failure_hide_addresses(log, length);
	for (size_t i = 0; i < length; i++)
		MUST(log[i] == text[i] || (log[i] == '?' && isxdigit((unsigned char)text[i])));
	for (size_t i = 0; i + 12 <= length; i++) {
		size_t digits = 2;

		while (i + digits < length && isxdigit((unsigned char)log[i + digits]))
			digits++;
		MUST(digits < 11 || strncasecmp(log + i, "0xff", 4));
	}
	free(log);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const parsers[])(void) = {
		numbers, fixed, lines, matches, cpu_lists, pressure, memory, rates, stat_of, words, entries, addresses,
	};

	if (!size)
		return 0;
	text = (const char *)data + 1;
	length = size - 1;
	all = parse_over(text, length);
	/* letters, so that the corpus is text */
	parsers[(unsigned char)(data[0] - 'a') % COUNT_OF(parsers)]();
	return 0;
}
