/* SPDX-License-Identifier: MIT */
/*
 * What sensors may cost. Each device has an account. One that is cheap, that is costs no more than its share of what
 * one sample may take, is read in every sample. What these leave is divided among the others, and each of them is read
 * when it has saved what it takes. So the average sample keeps the budget, and nobody starves. What a device takes is the
 * less of its last two readings: a machine that is busy may take the CPU away in the middle of one. Such a reading is a
 * debt, which the device pays off from what is divided; in deep debt it waits.
 *
 * A single reading of BUDGET_SLOW_NS or more turns the device off for a minute, then for two, and so on up to an hour.
 */
#ifndef RSTAT_COLLECT_BUDGET_H
#define RSTAT_COLLECT_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#define BUDGET_DEFAULT_NS 200000ULL
#define BUDGET_SLOW_NS    50000000ULL

enum { BUDGET_ACCOUNTS_MAX = 16 };

struct budget_account {
	uint64_t cost_ns;	/* the less of the last two readings */
	uint64_t last_ns;	/* of the last reading */
	uint64_t read_ns;	/* when it was; 0: never */
	int64_t saved_ns;	/* of one that is costly; negative: its debt */
	uint64_t off_until_ns, off_ns;
	bool known;		/* cost_ns is */
	bool told;		/* that it was turned off */
};

struct budget {
	uint64_t (*clock)(void);	/* ns, that only grows */
	uint64_t sample_ns;		/* the budget */
	int64_t left_ns;		/* by the cheap ones, of this sample's */
	unsigned sharers;		/* accounts in use, which share the budget: set by the caller, at least 1 */
	uint64_t began_ns;		/* of the reading under way */
	struct budget_account account[BUDGET_ACCOUNTS_MAX];
};

void budget_open(struct budget *budget, uint64_t sample_ns, uint64_t (*clock)(void));

/* The device of an account is another one now. Accounts are numbered from 0. */
void budget_renew(struct budget *budget, unsigned account);

/* Once per sample, before the first reading. now_ns: by the clock. */
void budget_sample(struct budget *budget, uint64_t now_ns);

/* Whether to read now. If so, the clock runs until budget_end(). */
bool budget_begin(struct budget *budget, unsigned account);

/* Whether it was so slow that the device is off from now on, and this is the first time: to be told. */
bool budget_end(struct budget *budget, unsigned account);

/* How old the last reading is, in ms: 0 where it is of this sample (began at or after `since_ns`) or there is none. */
uint32_t budget_age_ms(const struct budget *budget, unsigned account, uint64_t since_ns);

#endif
