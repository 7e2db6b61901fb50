/* SPDX-License-Identifier: MIT */
/* What the user asked for. One table in options.c drives the parser and --help. */
#ifndef RSTAT_EMIT_OPTIONS_H
#define RSTAT_EMIT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "collect/sources.h"
#include "loader/text.h"

struct face;

enum action {
	ACTION_RUN,
	ACTION_CHECK,
	ACTION_BENCH,
	ACTION_PROFILE,
	ACTION_LIST,
	ACTION_HELP,
	ACTION_VERSION,
};

enum attach { ATTACH_AUTO, ATTACH_BTF, ATTACH_RAW, ATTACH_PERF, ATTACH_PROC };

/* What --class-on can name; metric_names has the words. */
enum metric { METRIC_LOAD, METRIC_CPU, METRIC_MEMORY, METRIC_PRESSURE, METRICS };

/* Which top lists are shown: all, or one alone. */
enum list { LIST_ALL, LIST_CPU, LIST_MEMORY, LIST_IO, LISTS };

struct options {
	enum action action;
	const struct face *face;	/* NULL: auto, until face_default() is asked */
	bool terminal;			/* stdout is one: for the caller to set, after parsing, as the next two */
	bool live;			/* a view that is drawn in place, until the end */
	bool colour;			/* and may be coloured */

	uint32_t interval_ms;
	uint32_t lines;			/* stop after as many; 0: for ever */
	bool once;			/* one line, after one interval */

	uint32_t top_rows;
	bool top_set;			/* else a live view has as many as there is room for */
	bool min_cpu_set, min_memory_set, min_io_set;	/* else the collector's default */
	uint32_t min_cpu_ppm;		/* of all CPUs */
	uint64_t min_memory_bytes, min_io_bytes_per_second;
	bool kernel_threads;
	enum list list;

	struct sources_choice sensors;

	const char *text;		/* valid templates; alt NULL: the state */
	bool text_set;			/* by the user */
	const char *alt;
	bool markup;
	bool class_on_set;		/* else load decides the class, and cpu is the percentage */
	enum metric class_on;
	bool warning_set, critical_set;
	uint32_t warning_milli, critical_milli;	/* thousandths: of load, or of a percent */

	const char *file_path;		/* openmetrics: written there instead of to stdout; NULL: not */
	bool names;			/* openmetrics: the top lists, by name */

	enum attach attach;
	uint32_t max_tasks;		/* slots; 0: sized from the machine */
	const char *probe_path;		/* NULL: the built-in one */
	uint32_t bench_samples;
	uint32_t profile_seconds;
};

extern const char *const metric_names[METRICS];

/* No message, help or list is longer. */
enum { OPTIONS_TEXT_SIZE_MAX = 6144 };

/*
 * Fills *o from argv[1] on; the strings in it are argv's. Returns 0, or 2 (the exit code for wrong
 * usage) with one line in `error`, without a line feed, that names the option, the value and what
 * it takes. The last of contradicting options wins; --help and --version win over all and end the
 * parsing.
 */
int options_parse(struct options *o, int argc, char **argv, struct text *error);

void options_help(struct text *out);		/* --help: lines of at most 80 columns */
void options_list(struct text *out);		/* --list: faces and placeholders */

#endif
