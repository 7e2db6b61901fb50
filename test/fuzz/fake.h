/* SPDX-License-Identifier: MIT */
/*
 * A machine made of text: a tree of files in the format of test/fixtures/machines, and system calls that see nothing else.
 * Files that no machine has say how it behaves: `faults` (one byte a call: 0xe0 and more is an error), `ticks` (how far the
 * clock goes on, one byte a look), `loads` (what sysinfo says), proc/PID/clock (ns of CPU time).
 *
 * A line "path -" takes a file away: whoever has it open reads -ENODEV. "@ later" ends a part.
 */
#ifndef RSTAT_FUZZ_FAKE_H
#define RSTAT_FUZZ_FAKE_H

#include "test/fuzz/fuzz.h"

enum { FAKE_NODES_MAX = 384, FAKE_OPEN_MAX = 640, FAKE_FD_FIRST = 1000, FAKE_CONTENT_MAX = 4200, FAKE_ROOT = 0, FAKE_PID = 4711 };

struct fake_node {
	enum { FAKE_FILE, FAKE_LINK, FAKE_FOLDER } kind;
	bool gone;
	uint16_t parent;
	char name[40];
	uint8_t *content;	/* exactly `size` bytes */
	size_t size;
};

struct fake_open {
	bool used;
	uint16_t node;
	size_t at;		/* of a folder: the next node */
};

struct fake {
	unsigned nodes;
	struct fake_node node[FAKE_NODES_MAX];
	struct fake_open open[FAKE_OPEN_MAX];
	unsigned opens;			/* now */
	uint64_t now_ns, calls;
	struct feed faults, ticks;
	bool faulty;			/* there have been faults */
	bool sealed;			/* nothing may be opened any more */
	/* Asked before all else; returns false for what it does not know. */
	bool (*more)(long number, const long argument[6], long *result);
	/* Before each opening (reading: false) and reading of a file. */
	void (*watch)(uint16_t node, bool reading);
};

extern struct fake fake;

void fake_begin(void);		/* an empty machine; system calls go to it from now on */
void fake_end(void);
/* Takes lines up to "@ later" or the end; false where there are none. */
bool fake_part(struct feed *text);
/* The node at that path, or -1. */
int fake_find(const char *path);
/* What a file says as a NUL-terminated string; NULL where there is none. */
const char *fake_string(const char *path, char *to, size_t size);
/* A file of those bytes. */
void fake_put(const char *path, const void *bytes, size_t size);
/* A descriptor of a node, or -errno; the next fault of the plan: 0 or -errno. */
long fake_open_node(int node);
long fake_fault(void);
/* The descriptor of the root, as if opened. */
int fake_root(void);
uint64_t fake_clock(void);
long fake_system(long number, long a, long b, long c, long d, long e, long f);

#endif
