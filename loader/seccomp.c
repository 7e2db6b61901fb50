/* SPDX-License-Identifier: MIT */
#include "loader/seccomp.h"

#include "loader/sys.h"

enum {	/* include/uapi/linux/bpf_common.h, seccomp.h */
	LOAD = 0x20,			/* BPF_LD | BPF_W | BPF_ABS: a word of struct seccomp_data */
	JUMP_EQUAL = 0x15,		/* BPF_JMP | BPF_K and BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET */
	JUMP_ABOVE = 0x25,
	JUMP_AT_LEAST = 0x35,
	JUMP_ANY_OF = 0x45,
	RETURN = 0x06,			/* BPF_RET | BPF_K */
	AT_CALL = 0,			/* of struct seccomp_data: nr, arch, ip, then six arguments of 8 bytes */
	AT_ARCHITECTURE = 4,
	AT_ARGUMENTS = 16,
	SET_MODE_FILTER = 1,
};

/* Each test as a jump, and whether it holds where that is taken. */
static const struct {
	uint8_t code;
	bool holds;
} tests[] = {
	[SECCOMP_EQUAL] = { JUMP_EQUAL, true },
	[SECCOMP_NOT] = { JUMP_EQUAL, false },
	[SECCOMP_AT_MOST] = { JUMP_ABOVE, false },
	[SECCOMP_AT_LEAST] = { JUMP_AT_LEAST, true },
	[SECCOMP_NONE_OF] = { JUMP_ANY_OF, false },
};

static const uint32_t allow = 0x7fff0000, kill_process = 0x80000000;

static void put(struct seccomp_filter *filter, uint16_t code, uint32_t value)
{
	/* the last place is kept for the end of all rules */
	if (filter->count >= SECCOMP_STEPS_MAX - 1) {
		filter->full = true;
		return;
	}
	filter->step[filter->count++] = (struct seccomp_step){ .code = code, .value = value };
}

/* The test just put leads on where it holds, and past the rule where it does not. */
static void or_else(struct seccomp_filter *filter, unsigned rule_end, bool holds_when_true)
{
	struct seccomp_step *step = &filter->step[filter->count - 1];
	uint8_t past = (uint8_t)(rule_end - filter->count);

	step->jump_true = holds_when_true ? 0 : past;
	step->jump_false = holds_when_true ? past : 0;
}

void seccomp_begin(struct seccomp_filter *filter)
{
	filter->count = filter->calls = 0;
	filter->full = false;
	put(filter, LOAD, AT_ARCHITECTURE);
	put(filter, JUMP_EQUAL, ARCH_AUDIT);
	filter->step[filter->count - 1].jump_true = 1;
	put(filter, RETURN, kill_process);
}

/* A rule is its call's number, four steps for each check, and the word that allows it. */
void seccomp_allow(struct seccomp_filter *filter, unsigned call, const struct seccomp_check *checks, unsigned count)
{
	unsigned end = filter->count + 2 + 4 * count + 1;

	if (end >= SECCOMP_STEPS_MAX) {
		filter->full = true;
		return;
	}
	put(filter, LOAD, AT_CALL);
	put(filter, JUMP_EQUAL, call);
	or_else(filter, end, true);
	for (unsigned i = 0; i < count; i++) {
		uint32_t at = AT_ARGUMENTS + 8u * checks[i].argument;

		put(filter, LOAD, at + 4);	/* both architectures are little-endian */
		put(filter, JUMP_EQUAL, (uint32_t)(checks[i].value >> 32));
		or_else(filter, end, true);
		put(filter, LOAD, at);
		put(filter, tests[checks[i].test].code, (uint32_t)checks[i].value);
		or_else(filter, end, tests[checks[i].test].holds);
	}
	put(filter, RETURN, allow);
	filter->calls++;
}

int seccomp_install(struct seccomp_filter *filter)
{
	struct {	/* struct sock_fprog */
		uint16_t count;
		const struct seccomp_step *step;
	} program;

	if (filter->full)
		return -SYS_E2BIG;
	filter->step[filter->count] = (struct seccomp_step){ .code = RETURN, .value = kill_process };
	program.count = (uint16_t)(filter->count + 1);
	program.step = filter->step;
	return sys_seccomp(SET_MODE_FILTER, 0, &program);
}
