/* SPDX-License-Identifier: MIT */
/* Sample, show, wait: until told to stop. */
#ifndef RSTAT_EMIT_LOOP_H
#define RSTAT_EMIT_LOOP_H

#include <stddef.h>

#include "emit/monitor.h"
#include "emit/options.h"

/* Signals that ask for something, from glibc's SIGRTMIN on; the faces name the last two to bars that hide. */
enum { LOOP_SIGNAL_FIRST = 34, LOOP_SIGNAL_PAUSE = 39, LOOP_SIGNAL_GO_ON, LOOP_SIGNAL_LAST = LOOP_SIGNAL_GO_ON };

/*
 * Which signals mean what, from the very start: those that the loop reads are blocked, SIGTERM ends us at once in
 * any phase, whatever the parent had set.
 */
void loop_take_signals(void);

/* The samples, as the options say. The exit code: 0 done or stdout closed, 1 with a failure. */
int loop_run(struct monitor *monitor, struct options *options, struct failure *f);

/* All of it to fd: 0, or -errno (-EPIPE: the reader is gone). */
int write_all(int fd, const char *data, size_t size);

#endif
