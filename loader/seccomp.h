/* SPDX-License-Identifier: MIT */
/*
 * A seccomp filter, put together by hand: a list of system calls with what their arguments must be. Anything else
 * ends the process. The filter sees registers, not the memory behind a pointer.
 */
#ifndef RSTAT_LOADER_SECCOMP_H
#define RSTAT_LOADER_SECCOMP_H

#include <stdbool.h>
#include <stdint.h>

enum seccomp_test {
	SECCOMP_EQUAL,		/* the argument is the value */
	SECCOMP_NOT,		/* it is not; its lower half, that is */
	SECCOMP_AT_MOST,	/* unsigned */
	SECCOMP_AT_LEAST,
	SECCOMP_NONE_OF,	/* no bit of the value is set */
};

/* The upper half of the argument must be that of the value in any case. */
struct seccomp_check {
	uint8_t argument;	/* 0..5 */
	uint8_t test;		/* enum seccomp_test */
	uint64_t value;
};

/* struct sock_filter, include/uapi/linux/filter.h */
struct seccomp_step {
	uint16_t code;
	uint8_t jump_true, jump_false;
	uint32_t value;
};

enum { SECCOMP_STEPS_MAX = 384 };

struct seccomp_filter {
	struct seccomp_step step[SECCOMP_STEPS_MAX];
	uint16_t count, calls;
	bool full;		/* a rule did not fit: the filter is not to be used */
};

/* An empty filter: only the check that the call is one of this architecture's. */
void seccomp_begin(struct seccomp_filter *filter);

/* Allows the call where all checks hold. May be said again with others: one of them must hold. */
void seccomp_allow(struct seccomp_filter *filter, unsigned call, const struct seccomp_check *checks, unsigned count);

/* From here on. 0, or -errno: -ENOSYS and -EINVAL where the kernel has no filters, -E2BIG where it is full. */
int seccomp_install(struct seccomp_filter *filter);

#endif
