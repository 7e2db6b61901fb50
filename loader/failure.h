/* SPDX-License-Identifier: MIT */
/* Why something could not be done, as the one line that the user sees. */
#ifndef RSTAT_LOADER_FAILURE_H
#define RSTAT_LOADER_FAILURE_H

#include <stddef.h>

struct failure {
	int error;		/* -errno; 0: none yet */
	size_t length;
	size_t advice;		/* where it begins in the line; 0: there is none */
	char line[400];		/* "step what: ENAME: advice", printable ASCII, no newline */
};

struct text;

/*
 * Notes the step, what it was done to (a name that may come from an untrusted file; may be NULL), the -errno and
 * what the user can do (may be NULL). Returns error, so that `return fail(...)` reads well. The first failure stays.
 */
int fail(struct failure *f, int error, const char *step, const char *what, const char *advice);

/* The gist: the advice up to its first colon or semicolon, else the whole line. */
void failure_short(const struct failure *f, struct text *out);

/*
 * What the kernel's verifier says may have addresses of the kernel in it: those of maps, where the reader may load
 * programs. Who reads it here may be anybody who starts us: hexadecimal digits of what could be one become '?'.
 */
void failure_hide_addresses(char *log, size_t size);

#endif
