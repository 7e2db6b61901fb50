/* SPDX-License-Identifier: MIT */
/*
 * Clicks as i3bar and swaybar report them: one JSON object each, in an endless array, a line each. The bytes may be
 * anything, in pieces cut anywhere: what is no event is ignored up to the end of its line.
 */
#ifndef RSTAT_EMIT_CLICK_H
#define RSTAT_EMIT_CLICK_H

#include <stdbool.h>
#include <stdint.h>

enum { CLICK_WORD_MAX = 8, CLICK_DEPTH_MAX = 16, CLICK_SIZE_MAX = 8192 /* bytes of an event */ };

/* Where the reader stands. Zeroed: before the first byte. */
struct click {
	uint8_t state, key, depth;
	bool in_key, plain;		/* the string is a key; the number has digits only */
	uint8_t hex;			/* digits of \u that are still to come */
	uint8_t length;			/* of the string, at most CLICK_WORD_MAX + 1 */
	char word[CLICK_WORD_MAX];	/* its beginning */
	uint16_t size;			/* of the event so far */
	uint32_t objects;		/* a bit per level: it is an object, not an array */
	uint32_t number;
	const char *literal;		/* what must follow of it */
	uint32_t button;		/* of the event so far; 0: none yet */
	bool foreign;			/* its name is not `name` */
};

/* The next byte. The button (1 left, 2 middle, 3 right, 4 and 5 scrolled up and down, ...) where it ends an event of the block
 * called `name`, or of a block without a name; else 0. */
uint32_t click_read(struct click *c, unsigned char byte, const char *name);

#endif
