/* SPDX-License-Identifier: MIT */
/* What the modes of the load program share. */
#ifndef RSTAT_TEST_LOAD_H
#define RSTAT_TEST_LOAD_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum { NS_PER_S = 1000000000, NS_PER_MS = 1000000, MIB = 1 << 20 };

struct mode {
	const char *name;
	int arguments;		/* at least */
	void (*run)(char **arguments);
};

void die(const char *what);	/* with errno */
void say(const char *line);
void die_with_parent(void);
const char *next_line(void);	/* of standard input; the process ends where there is none */
void until_the_end(void);
void *wait_for_the_end(void *unused);
uint64_t clock_ns(clockid_t clock);
void burn(uint64_t ns);		/* of this thread's own CPU time */
void pause_ms(long ms);
void spin(void);
void start_thread(void *(*run)(void *), void *argument);
void *spin_thread(void *unused);
void *sleep_thread(void *unused);
void *take_memory(size_t size);

void mode_hogs(char **arguments);
void mode_sleepers(char **arguments);
void mode_leader_spin(char **arguments);
void mode_rename(char **arguments);
void mode_unheard(char **arguments);
void mode_deadline(char **arguments);
void mode_bomb(char **arguments);
void mode_zombies(char **arguments);
void mode_pingpong(char **arguments);
void mode_shrink(char **arguments);
void mode_pageout(char **arguments);
void mode_sync(char **arguments);

#endif
