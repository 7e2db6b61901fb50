/* SPDX-License-Identifier: MIT */
/*
 * The terminal while a live view has it: its own screen, no cursor, keys one by one. Given back on every way out. What a
 * process cannot do itself, when it is killed, a child of it does that was made before anything else and has no rights.
 */
#ifndef RSTAT_EMIT_GUARD_H
#define RSTAT_EMIT_GUARD_H

#include <stdbool.h>
#include <stdint.h>

/* Signals that the loop is to read beside its own: the window's size, stop and continue. */
uint64_t guard_signals(void);

/*
 * To be called first. 0, or -errno. From then on signals that end us give the terminal back first, and this process
 * may be in the background without being stopped for it.
 */
int guard_start(void);

/* Whether what is typed is for us. */
bool guard_in_front(void);

/* Whether the screen is ours to draw on; takes it where it can be had: we are in the foreground. */
bool guard_take(void);

/* Gives it back, if it is ours, for good. */
void guard_end(void);

/* Gives it back and stops, as ctrl-Z asks for. Returns when we were continued. */
void guard_stop(void);

#endif
